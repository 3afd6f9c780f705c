// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
import * as host from 'windlass:timer/timer@0.1.0';
import { calls } from '../calls.js';

export const types = {
};

export const functions = {
  'sleep': { params: { 'milliseconds': 'u64' } },
};

const call = /* @__PURE__ */ calls('timer', host, types, functions);

export const sleep = /* @__PURE__ */ call('sleep');
