// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
/** Waiting for a person to decide. */

/** Why a call failed. That somebody has said no is not an error. */
export type ErrorCode =
  /** No grant allows it; says which one is missing. */
  | 'denied'
  /** Anything else. */
  | 'other'
;

/** What a person has decided. */
export interface Decision {
  /** Whether the step may go on. */
  approved: boolean;
  /** Who decided. */
  by: string;
  /** Why, if that was said. */
  reason?: string;
}

/**
 * Waits until somebody has decided: `windlass approve RUN STAGE`, or `windlass reject`. The message says what
 * about. The run may end its process meanwhile and be resumed; the step's time limit does not count the wait.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function wait(message: string): Decision;

export {};
