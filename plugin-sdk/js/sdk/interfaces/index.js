// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
export * as approval from './approval.js';
export * as artifacts from './artifacts.js';
export * as docker from './docker.js';
export * as health from './health.js';
export * as http from './http.js';
export * as log from './log.js';
export * as metrics from './metrics.js';
export * as process from './process.js';
export * as query from './query.js';
export * as timer from './timer.js';
export * as traffic from './traffic.js';
export * as value from './value.js';
