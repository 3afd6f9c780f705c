// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
import * as host from 'windlass:docker/docker@0.1.0';
import { calls } from '../calls.js';

export const types = {
  'error': { variant: {
    'denied': 'string',
    'not-found': 'string',
    'conflict': 'string',
    'invalid': 'string',
    'unavailable': 'string',
    'registry-unavailable': 'string',
    'unauthorized': 'string',
    'build-failed': 'string',
    'port-in-use': 'string',
    'timed-out': 'string',
    'disk-full': 'string',
    'other': 'string',
  } },
  'build-spec': { record: {
    'context': 'string',
    'dockerfile': 'option<string>',
    'tags': 'list<string>',
    'args': 'list<value.pair>',
    'target': 'option<string>',
    'labels': 'list<value.pair>',
    'platform': 'option<string>',
    'no-cache': 'bool',
    'pull': 'bool',
    'secrets': 'list<value.named-value>',
  } },
  'builder': { enum: ['classic', 'buildkit'] },
  'built': { record: {
    'id': 'string',
    'tags': 'list<string>',
    'builder': 'docker.builder',
  } },
  'credentials': { record: {
    'username': 'string',
    'password': 'value.value',
  } },
  'transferred': { record: {
    'reference': 'string',
    'digest': 'string',
    'pinned': 'string',
  } },
  'image': { record: {
    'id': 'string',
    'tags': 'list<string>',
    'digests': 'list<string>',
    'size': 'u64',
    'created': 'string',
    'platform': 'string',
    'labels': 'list<value.pair>',
    'exposed-ports': 'list<string>',
  } },
  'protocol': { enum: ['tcp', 'udp'] },
  'port': { record: {
    'container': 'u16',
    'host': 'option<u16>',
    'address': 'option<string>',
    'protocol': 'docker.protocol',
  } },
  'mount-source': { variant: {
    'folder': 'string',
    'volume': 'string',
    'tmpfs': 'u64',
  } },
  'mount': { record: {
    'source': 'docker.mount-source',
    'target': 'string',
    'writable': 'bool',
  } },
  'restart': { variant: {
    'no': null,
    'on-failure': 'u32',
    'unless-stopped': null,
    'always': null,
  } },
  'healthcheck': { record: {
    'command': 'list<string>',
    'interval-ms': 'u64',
    'timeout-ms': 'u64',
    'retries': 'u32',
    'start-period-ms': 'u64',
  } },
  'container-spec': { record: {
    'image': 'string',
    'command': 'option<list<string>>',
    'entrypoint': 'option<list<string>>',
    'env': 'list<value.named-value>',
    'user': 'option<string>',
    'working-directory': 'option<string>',
    'labels': 'list<value.pair>',
    'ports': 'list<docker.port>',
    'mounts': 'list<docker.mount>',
    'networks': 'list<string>',
    'aliases': 'list<string>',
    'no-network': 'bool',
    'memory': 'option<u64>',
    'cpu-millis': 'option<u32>',
    'processes': 'option<u32>',
    'read-only-root': 'bool',
    'restart': 'docker.restart',
    'healthcheck': 'option<docker.healthcheck>',
  } },
  'published': { record: {
    'container': 'u16',
    'protocol': 'docker.protocol',
    'address': 'string',
    'host': 'u16',
  } },
  'container-state': { enum: ['created', 'running', 'restarting', 'paused', 'exited', 'dead'] },
  'health-state': { enum: ['none', 'starting', 'healthy', 'unhealthy'] },
  'container': { record: {
    'name': 'string',
    'id': 'string',
    'image': 'string',
    'image-id': 'string',
    'state': 'docker.container-state',
    'health': 'docker.health-state',
    'exit-code': 'option<s64>',
    'oom-killed': 'bool',
    'ports': 'list<docker.published>',
    'addresses': 'list<value.pair>',
    'labels': 'list<value.pair>',
    'run': 'string',
    'started': 'string',
  } },
  'lifetime': { enum: ['run', 'kept'] },
  'exit': { record: {
    'code': 's64',
    'oom-killed': 'bool',
    'stdout-tail': 'string',
    'stderr-tail': 'string',
  } },
  'exec-spec': { record: {
    'container': 'string',
    'command': 'list<string>',
    'env': 'list<value.named-value>',
    'user': 'option<string>',
    'working-directory': 'option<string>',
    'timeout-ms': 'option<u64>',
  } },
  'log-query': { record: {
    'container': 'string',
    'tail': 'option<u32>',
    'since': 'option<u64>',
    'follow-ms': 'u64',
  } },
  'output': { record: {
    'stdout-tail': 'string',
    'stderr-tail': 'string',
  } },
  'usage': { record: {
    'cpu-time-us': 'u64',
    'memory': 'u64',
    'memory-limit': 'u64',
    'received': 'u64',
    'sent': 'u64',
    'processes': 'u64',
  } },
};

export const functions = {
  'build': { params: { 'spec': 'docker.build-spec' }, answer: 'docker.built' },
  'tag': { params: { 'image': 'string', 'reference': 'string' } },
  'push': { params: { 'reference': 'string', 'credentials': 'option<docker.credentials>' }, answer: 'docker.transferred' },
  'pull': { params: { 'reference': 'string', 'credentials': 'option<docker.credentials>', 'platform': 'option<string>' }, answer: 'docker.transferred' },
  'inspect-image': { params: { 'reference': 'string' }, answer: 'docker.image' },
  'list-images': { params: { 'repository': 'string' }, answer: 'list<docker.image>' },
  'run': { params: { 'spec': 'docker.container-spec', 'timeout-ms': 'option<u64>' }, answer: 'docker.exit' },
  'start': { params: { 'name': 'string', 'spec': 'docker.container-spec', 'lifetime': 'docker.lifetime' }, answer: 'docker.container' },
  'exec': { params: { 'spec': 'docker.exec-spec' }, answer: 'docker.exit' },
  'inspect': { params: { 'container': 'string' }, answer: 'docker.container' },
  'list': { params: {}, answer: 'list<docker.container>' },
  'logs': { params: { 'query': 'docker.log-query' }, answer: 'docker.output' },
  'stats': { params: { 'container': 'string' }, answer: 'docker.usage' },
  'wait-healthy': { params: { 'container': 'string', 'timeout-ms': 'u64' }, answer: 'docker.container' },
  'start-again': { params: { 'container': 'string' }, answer: 'docker.container' },
  'stop': { params: { 'container': 'string', 'grace-ms': 'u64' } },
  'remove': { params: { 'container': 'string', 'force': 'bool' } },
  'create-network': { params: { 'name': 'string', 'internal': 'bool', 'lifetime': 'docker.lifetime' } },
  'remove-network': { params: { 'name': 'string' } },
  'create-volume': { params: { 'name': 'string', 'lifetime': 'docker.lifetime' } },
  'remove-volume': { params: { 'name': 'string' } },
};

const call = /* @__PURE__ */ calls('docker', host, types, functions);

export const build = /* @__PURE__ */ call('build');
export const tag = /* @__PURE__ */ call('tag');
export const push = /* @__PURE__ */ call('push');
export const pull = /* @__PURE__ */ call('pull');
export const inspectImage = /* @__PURE__ */ call('inspect-image');
export const listImages = /* @__PURE__ */ call('list-images');
export const run = /* @__PURE__ */ call('run');
export const start = /* @__PURE__ */ call('start');
export const exec = /* @__PURE__ */ call('exec');
export const inspect = /* @__PURE__ */ call('inspect');
export const list = /* @__PURE__ */ call('list');
export const logs = /* @__PURE__ */ call('logs');
export const stats = /* @__PURE__ */ call('stats');
export const waitHealthy = /* @__PURE__ */ call('wait-healthy');
export const startAgain = /* @__PURE__ */ call('start-again');
export const stop = /* @__PURE__ */ call('stop');
export const remove = /* @__PURE__ */ call('remove');
export const createNetwork = /* @__PURE__ */ call('create-network');
export const removeNetwork = /* @__PURE__ */ call('remove-network');
export const createVolume = /* @__PURE__ */ call('create-volume');
export const removeVolume = /* @__PURE__ */ call('remove-volume');
