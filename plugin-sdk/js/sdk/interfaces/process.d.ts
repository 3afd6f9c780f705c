// Written by `cargo xtask tidy --bless` from wit/. Do not edit.
/** Programs on the host, outside any sandbox. `windlass plan` marks steps that are granted it. */
import type { Integer, Values } from '../values.js';

/** Why a call failed. A program that ran and exited, with whatever code, is not an error. */
export type ErrorCode =
  /** No grant allows it; says which one is missing. */
  | 'denied'
  /** There is no such program, or no such folder to run it in. */
  | 'not-found'
  /** The command is not acceptable; says why. */
  | 'invalid'
  /** The time limit of the command passed; its whole process tree was ended. */
  | 'timed-out'
  /** Anything else. */
  | 'other'
;

/** A command to run. */
export interface Command {
  /** The program, by the name that the grant lists. */
  program: string;
  /** Its arguments. No shell sees them. */
  args?: string[];
  /** Its whole environment, but for the host's variables that the step's `env` grants. */
  env?: Values;
  /** The folder to run it in, relative to the pipeline's own; that folder if absent. */
  workingDirectory?: string | null;
  /** What it reads on standard input. */
  stdin?: string | null;
  /** After how many milliseconds to end it with all its children. */
  timeoutMs?: Integer | null;
}

/** How a program ended. */
export interface Exit {
  /** The exit code; 128 and the signal's number for one that a signal ended. */
  code: number;
  /** The last bytes of standard output as text, at most 64 KiB. All of it is in the step's log. */
  stdoutTail: string;
  /** The last bytes of standard error as text, at most 64 KiB. */
  stderrTail: string;
}

/**
 * Runs a program to its end. Its output flows into the step's log.
 * @throws {CapabilityError} with an `ErrorCode` as its `code`
 */
export function run(command: Command): Exit;

export {};
