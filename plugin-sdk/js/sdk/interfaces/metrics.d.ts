// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
/** Measurements for the run's record. Needs no grant. */
import type { Pairs } from '../values.js';

/** A measurement. */
export interface Metric {
  /** What was measured, as `image-size`. */
  name: string;
  /** The value. */
  value: number;
  /** The unit, by UCUM (`By`, `s`, `1`); may be empty. */
  unit: string;
  /** What it is about. */
  labels?: Pairs;
}

/** Records a measurement. */
export function emit(metric: Metric): void;

export {};
