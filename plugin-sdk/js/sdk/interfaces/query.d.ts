// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
/** Asks a monitoring system. */
import type { Integer } from '../values.js';
import type * as value from './value.js';

/** Why a query gave no answer. */
export type ErrorCode =
  /** No grant allows it; says which one is missing. */
  | 'denied'
  /** The query is not acceptable; says what the other side said of it. */
  | 'invalid'
  /** The other side cannot be reached, or does not work. */
  | 'unavailable'
  /** Anything else. */
  | 'other'
;

/** A series at one moment. */
export interface Sample {
  /** Its labels. */
  labels: value.Pair[];
  /** Its value; absent if it is no number (NaN), or infinite. */
  value?: number;
}

/**
 * Asks a Prometheus at this URL for the value of a PromQL expression now. No sample is an answer, too.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function prometheus(url: string, expression: string, timeoutMs: Integer): Sample[];

export {};
