// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
import * as host from 'windlass:traffic/traffic@0.1.0';
import { calls } from '../calls.js';

export const types = {
  'error': { variant: {
    'denied': 'string',
    'not-found': 'string',
    'conflict': 'string',
    'unsafe': 'string',
    'invalid': 'string',
    'unavailable': 'string',
    'unsupported': 'string',
    'other': 'string',
  } },
  'replica-state': { record: {
    'container': 'string',
    'id': 'string',
    'port': 'u16',
    'address': 'string',
    'ready': 'bool',
    'because': 'option<string>',
    'serving': 'bool',
    'draining': 'bool',
    'in-flight': 'u64',
  } },
  'revision-state': { record: {
    'name': 'string',
    'weight': 'u32',
    'share': 'u32',
    'cap': 'u32',
    'ready': 'u32',
    'replicas': 'u32',
    'in-flight': 'u64',
    'endpoints': 'list<traffic.replica-state>',
  } },
  'open-deployment': { record: {
    'run': 'string',
    'revision': 'string',
    'previous': 'option<string>',
    'strategy': 'string',
    'committed': 'bool',
  } },
  'state': { record: {
    'service': 'string',
    'generation': 'u64',
    'current': 'option<string>',
    'revisions': 'list<traffic.revision-state>',
    'deployment': 'option<traffic.open-deployment>',
    'unserved': 'u32',
    'listeners': 'list<string>',
  } },
  'route': { record: {
    'host': 'option<string>',
    'path': 'string',
    'listeners': 'list<string>',
    'revision': 'option<string>',
  } },
  'sticky': { record: {
    'cookie': 'string',
    'max-age-s': 'option<u64>',
  } },
  'router-check': { record: {
    'path': 'option<string>',
    'interval-ms': 'u64',
    'timeout-ms': 'u64',
    'up-after': 'u32',
    'down-after': 'u32',
  } },
  'deployment': { record: {
    'service': 'string',
    'revision': 'string',
    'strategy': 'string',
    'routes': 'list<traffic.route>',
    'replicas': 'u32',
    'sticky': 'option<traffic.sticky>',
    'override-header': 'option<string>',
    'check': 'option<traffic.router-check>',
    'connect-timeout-ms': 'u64',
    'read-timeout-ms': 'u64',
    'downtime': 'bool',
    'details': 'list<value.pair>',
  } },
  'replica': { record: {
    'container': 'string',
    'port': 'u16',
    'ready': 'bool',
  } },
  'split': { record: {
    'revision': 'string',
    'weight': 'u32',
  } },
  'drained': { record: {
    'done': 'bool',
    'in-flight': 'u64',
    'cut': 'u64',
  } },
  'bucket': { record: {
    'le-us': 'u64',
    'count': 'u64',
  } },
  'measured': { record: {
    'revision': 'string',
    'requests': 'u64',
    'errors': 'u64',
    'classes': 'list<u64>',
    'unreachable': 'u64',
    'client-aborts': 'u64',
    'chosen': 'u64',
    'p50-us': 'u64',
    'p99-us': 'u64',
    'max-us': 'u64',
    'latency': 'list<traffic.bucket>',
    'in-flight': 'u64',
  } },
  'measurements': { record: {
    'from-ms': 'u64',
    'to-ms': 'u64',
    'now-ms': 'u64',
    'since-ms': 'u64',
    'revisions': 'list<traffic.measured>',
    'unserved': 'u64',
  } },
  'verdict': { enum: ['pass', 'fail', 'insufficient-data', 'error'] },
  'judgement': { record: {
    'revision': 'string',
    'metric': 'string',
    'verdict': 'traffic.verdict',
    'next': 'string',
    'reason': 'string',
  } },
};

export const functions = {
  'read': { params: { 'service': 'string' }, answer: 'traffic.state' },
  'begin': { params: { 'deployment': 'traffic.deployment' }, answer: 'traffic.state' },
  'set-replicas': { params: { 'service': 'string', 'revision': 'string', 'replicas': 'list<traffic.replica>' }, answer: 'traffic.state' },
  'shift': { params: { 'service': 'string', 'weights': 'list<traffic.split>' }, answer: 'traffic.state' },
  'hold': { params: { 'service': 'string', 'limit-ms': 'u64' } },
  'release': { params: { 'service': 'string' } },
  'drain': { params: { 'service': 'string', 'revision': 'string', 'container': 'option<string>', 'limit-ms': 'u64' }, answer: 'traffic.drained' },
  'take-down': { params: { 'service': 'string' }, answer: 'traffic.state' },
  'commit': { params: { 'service': 'string' }, answer: 'traffic.state' },
  'abort': { params: { 'service': 'string', 'drain-ms': 'u64' } },
  'retire': { params: { 'service': 'string', 'revision': 'string' }, answer: 'traffic.state' },
  'finish': { params: { 'service': 'string' } },
  'measure': { params: { 'service': 'string', 'from-ms': 'option<u64>', 'last-ms': 'u64' }, answer: 'traffic.measurements' },
  'judge': { params: { 'service': 'string', 'judgement': 'traffic.judgement' } },
};

const call = /* @__PURE__ */ calls('traffic', host, types, functions);

export const read = /* @__PURE__ */ call('read');
export const begin = /* @__PURE__ */ call('begin');
export const setReplicas = /* @__PURE__ */ call('set-replicas');
export const shift = /* @__PURE__ */ call('shift');
export const hold = /* @__PURE__ */ call('hold');
export const release = /* @__PURE__ */ call('release');
export const drain = /* @__PURE__ */ call('drain');
export const takeDown = /* @__PURE__ */ call('take-down');
export const commit = /* @__PURE__ */ call('commit');
export const abort = /* @__PURE__ */ call('abort');
export const retire = /* @__PURE__ */ call('retire');
export const finish = /* @__PURE__ */ call('finish');
export const measure = /* @__PURE__ */ call('measure');
export const judge = /* @__PURE__ */ call('judge');
