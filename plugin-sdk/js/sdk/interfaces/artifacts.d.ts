// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
/** Bytes that a run keeps under a name, for later steps and for people. */
import type { Bytes } from '../values.js';

/** Why a call failed. */
export type ErrorCode =
  /** No grant allows it; says which one is missing. */
  | 'denied'
  /** There is no artifact of this name in this run. */
  | 'not-found'
  /** The name or the content is not acceptable; says why. */
  | 'invalid'
  /** Anything else. */
  | 'other'
;

/** A stored artifact. */
export interface Artifact {
  /** Its name. */
  name: string;
  /** Its size in bytes. */
  size: number;
  /** `sha256:` and the digest of its bytes. */
  digest: string;
}

/**
 * Stores bytes under a name; a second call replaces the first.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function put(name: string, content?: Bytes): Artifact;

/**
 * The bytes under a name.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function get(name: string): Uint8Array;

/**
 * What this run has stored so far, by name.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function list(): Artifact[];

export {};
