// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
import * as host from 'windlass:process/process@0.1.0';
import { calls } from '../calls.js';

export const types = {
  'error': { variant: {
    'denied': 'string',
    'not-found': 'string',
    'invalid': 'string',
    'timed-out': 'string',
    'other': 'string',
  } },
  'command': { record: {
    'program': 'string',
    'args': 'list<string>',
    'env': 'list<value.named-value>',
    'working-directory': 'option<string>',
    'stdin': 'option<string>',
    'timeout-ms': 'option<u64>',
  } },
  'exit': { record: {
    'code': 's32',
    'stdout-tail': 'string',
    'stderr-tail': 'string',
  } },
};

export const functions = {
  'run': { params: { 'command': 'process.command' }, answer: 'process.exit' },
};

const call = /* @__PURE__ */ calls('process', host, types, functions);

export const run = /* @__PURE__ */ call('run');
