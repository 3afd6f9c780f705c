// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
import * as host from 'windlass:artifacts/artifacts@0.1.0';
import { calls } from '../calls.js';

export const types = {
  'error': { variant: {
    'denied': 'string',
    'not-found': 'string',
    'invalid': 'string',
    'other': 'string',
  } },
  'artifact': { record: {
    'name': 'string',
    'size': 'u64',
    'digest': 'string',
  } },
};

export const functions = {
  'put': { params: { 'name': 'string', 'content': 'list<u8>' }, answer: 'artifacts.artifact' },
  'get': { params: { 'name': 'string' }, answer: 'list<u8>' },
  'list': { params: {}, answer: 'list<artifacts.artifact>' },
};

const call = /* @__PURE__ */ calls('artifacts', host, types, functions);

export const put = /* @__PURE__ */ call('put');
export const get = /* @__PURE__ */ call('get');
export const list = /* @__PURE__ */ call('list');
