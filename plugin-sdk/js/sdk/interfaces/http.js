// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
import * as host from 'windlass:http/http@0.1.0';
import { calls } from '../calls.js';

export const types = {
  'error': { variant: {
    'denied': 'string',
    'invalid': 'string',
    'unavailable': 'string',
    'timed-out': 'string',
    'too-large': 'string',
    'other': 'string',
  } },
  'request': { record: {
    'method': 'string',
    'url': 'string',
    'headers': 'list<value.named-value>',
    'body': 'option<list<u8>>',
    'timeout-ms': 'option<u64>',
    'redirects': 'u32',
    'max-body': 'option<u64>',
  } },
  'response': { record: {
    'status': 'u16',
    'headers': 'list<value.pair>',
    'body': 'list<u8>',
    'url': 'string',
  } },
};

export const functions = {
  'send': { params: { 'request': 'http.request' }, answer: 'http.response' },
};

const call = /* @__PURE__ */ calls('http', host, types, functions);

export const send = /* @__PURE__ */ call('send');
