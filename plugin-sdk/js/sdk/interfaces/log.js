// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
import * as host from 'windlass:log/log@0.1.0';
import { calls } from '../calls.js';

export const types = {
  'level': { enum: ['debug', 'info', 'warn', 'error'] },
};

export const functions = {
  'log': { params: { 'level': 'log.level', 'message': 'string' } },
};

const call = /* @__PURE__ */ calls('log', host, types, functions);

export const log = /* @__PURE__ */ call('log');
