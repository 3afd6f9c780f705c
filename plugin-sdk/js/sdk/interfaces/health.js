// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
import * as host from 'windlass:health/health@0.1.0';
import { calls } from '../calls.js';

export const types = {
  'error': { variant: {
    'denied': 'string',
    'not-found': 'string',
    'invalid': 'string',
    'unavailable': 'string',
    'other': 'string',
  } },
  'http-probe': { record: {
    'status-min': 'option<u16>',
    'status-max': 'option<u16>',
    'body-contains': 'option<string>',
  } },
  'container-port': { record: {
    'container': 'string',
    'port': 'u16',
  } },
  'container-http': { record: {
    'port': 'health.container-port',
    'path': 'string',
    'probe': 'health.http-probe',
  } },
  'url-http': { record: {
    'url': 'string',
    'probe': 'health.http-probe',
  } },
  'container-command': { record: {
    'container': 'string',
    'command': 'list<string>',
  } },
  'target': { variant: {
    'url': 'health.url-http',
    'container-http': 'health.container-http',
    'tcp': 'string',
    'container-tcp': 'health.container-port',
    'command': 'health.container-command',
    'docker': 'string',
  } },
  'policy': { record: {
    'interval-ms': 'u64',
    'timeout-ms': 'u64',
    'retries': 'u32',
    'start-period-ms': 'u64',
    'success-threshold': 'u32',
  } },
  'report': { record: {
    'healthy': 'bool',
    'attempts': 'u32',
    'last': 'string',
  } },
};

export const functions = {
  'check': { params: { 'target': 'health.target', 'timeout-ms': 'u64' }, answer: 'health.report' },
  'wait': { params: { 'target': 'health.target', 'policy': 'health.policy' }, answer: 'health.report' },
};

const call = /* @__PURE__ */ calls('health', host, types, functions);

export const check = /* @__PURE__ */ call('check');
export const wait = /* @__PURE__ */ call('wait');
