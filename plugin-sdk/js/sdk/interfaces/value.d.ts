// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
/** Values that may be secret. */
import type { Value } from '../values.js';

/** A name with a value. */
export interface NamedValue {
  /** The name. */
  name: string;
  /** The value. */
  value: Value;
}

/** A name with plain text. */
export interface Pair {
  /** The name. */
  name: string;
  /** The text. */
  value: string;
}

export {};
