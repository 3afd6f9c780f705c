// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
import * as host from 'windlass:metrics/metrics@0.1.0';
import { calls } from '../calls.js';

export const types = {
  'metric': { record: {
    'name': 'string',
    'value': 'f64',
    'unit': 'string',
    'labels': 'list<value.pair>',
  } },
};

export const functions = {
  'emit': { params: { 'metric': 'metrics.metric' } },
};

const call = /* @__PURE__ */ calls('metrics', host, types, functions);

export const emit = /* @__PURE__ */ call('emit');
