// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
/** The step's log. Needs no grant. */

/** How much a message matters. */
export type Level =
  /** Detail for the plugin's author. */
  | 'debug'
  /** What the step does. */
  | 'info'
  /** Something is off, and the step goes on. */
  | 'warn'
  /** Something failed. */
  | 'error'
;

/** Writes a message to the step's log. Over the step's limit the log is cut, and says so. */
export function log(level: Level, message: string): void;

export {};
