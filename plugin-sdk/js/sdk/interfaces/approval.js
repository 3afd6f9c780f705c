// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
import * as host from 'windlass:approval/approval@0.1.0';
import { calls } from '../calls.js';

export const types = {
  'error': { variant: {
    'denied': 'string',
    'other': 'string',
  } },
  'decision': { record: {
    'approved': 'bool',
    'by': 'string',
    'reason': 'option<string>',
  } },
};

export const functions = {
  'wait': { params: { 'message': 'string' }, answer: 'approval.decision' },
};

const call = /* @__PURE__ */ calls('approval', host, types, functions);

export const wait = /* @__PURE__ */ call('wait');
