// What a plugin imports.

export { environment } from './environment.js';
export { CapabilityError, Failure } from './failure.js';
export { fetch } from './fetch.js';
export * as files from './files.js';
export { approval, artifacts, docker, health, http, metrics, process, query, timer, traffic } from './interfaces/index.js';
export { log } from './log.js';
export { plugin } from './plugin.js';
export * as schemas from './schemas.js';
export { Secret, secret } from './values.js';
