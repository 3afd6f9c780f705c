// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
import * as host from 'windlass:metrics/query@0.1.0';
import { calls } from '../calls.js';

export const types = {
  'error': { variant: {
    'denied': 'string',
    'invalid': 'string',
    'unavailable': 'string',
    'other': 'string',
  } },
  'sample': { record: {
    'labels': 'list<value.pair>',
    'value': 'option<f64>',
  } },
};

export const functions = {
  'prometheus': { params: { 'url': 'string', 'expression': 'string', 'timeout-ms': 'u64' }, answer: 'list<query.sample>' },
};

const call = /* @__PURE__ */ calls('query', host, types, functions);

export const prometheus = /* @__PURE__ */ call('prometheus');
