// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
/** HTTP requests to granted addresses. */
import type { Bytes, Integer, Values } from '../values.js';
import type * as value from './value.js';

/** Why a request got no answer. An answer with whatever status is not an error. */
export type ErrorCode =
  /** No grant allows it; says which one is missing. Redirects are checked as well. */
  | 'denied'
  /** The request is not acceptable; says why. */
  | 'invalid'
  /** The host cannot be reached: name, connection or TLS. */
  | 'unavailable'
  /** The time limit passed. */
  | 'timed-out'
  /** The body is larger than the limit. */
  | 'too-large'
  /** Anything else. */
  | 'other'
;

/** A request. */
export interface Request {
  /** The method, in capitals. */
  method: string;
  /** The URL, `http` or `https`. */
  url: string;
  /** The headers. */
  headers?: Values;
  /** The body. */
  body?: Bytes | null;
  /** After how many milliseconds to give up; 30,000 if absent. */
  timeoutMs?: Integer | null;
  /** How many redirects to follow; 0 returns the redirect itself. */
  redirects: number;
  /** The largest body to accept in bytes; 1 MiB if absent, 16 MiB at most. */
  maxBody?: Integer | null;
}

/** An answer. */
export interface Response {
  /** The status code. */
  status: number;
  /** The headers, names in small letters. */
  headers: value.Pair[];
  /** The body. */
  body: Uint8Array;
  /** The URL that answered, after redirects. */
  url: string;
}

/**
 * Sends a request and reads the whole answer.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function send(request: Request): Response;

export {};
