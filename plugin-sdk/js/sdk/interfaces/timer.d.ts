// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
/** Waiting. Needs no grant; the step's timeout holds. */
import type { Integer } from '../values.js';

/** Waits. */
export function sleep(milliseconds: Integer): void;

export {};
