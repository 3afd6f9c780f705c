// What a plugin imports.

import type { Value, Values } from './values.js';

export * as files from './files.js';
export { approval, artifacts, docker, health, http, metrics, process, query, timer, traffic } from './interfaces/index.js';
export * as schemas from './schemas.js';
export { Secret, secret } from './values.js';
export type { Bytes, Integer, Pairs, Value, Values } from './values.js';

/** Why a step failed: thrown by a plugin, and told to the person who runs the pipeline. */
export class Failure extends Error {
  /** `message` says what failed and why, `hint` what to do next, and `cause` is added to the message. */
  constructor(message: string, options?: { hint?: string; cause?: unknown });
  hint?: string;
}

/** A call that the host answered with an error. */
export class CapabilityError extends Failure {
  constructor(call: string, code: string, message: string);
  /** Which kind of error: a case of the interface's `ErrorCode`, as `not-found`. */
  readonly code: string;
  /** The function that was called, as `docker.inspect`. */
  readonly function: string;
  /** The interface that it belongs to, as `docker`. */
  readonly capability: string;
}

/** The environment variables of the step: those of `env` in `pipeline.toml`, and no others. */
export function environment(): Record<string, string>;

/** The step's log. `console` writes to it as well. */
export const log: {
  /** Detail for the plugin's author. */
  debug(...parts: unknown[]): void;
  /** What the step does. */
  info(...parts: unknown[]): void;
  /** Something is off, and the step goes on. */
  warn(...parts: unknown[]): void;
  /** Something failed. */
  error(...parts: unknown[]): void;
};

/** What `fetch` understands beside what it does on the web. */
export interface FetchInit extends Omit<RequestInit, 'headers'> {
  /** A header may be a secret: `{ authorization: secret('token') }`. */
  headers?: RequestInit['headers'] | Values;
  /** After how many milliseconds to give up; 30,000 if absent. */
  timeoutMs?: number;
  /** How many redirects to follow; 20 if absent. */
  redirects?: number;
  /** The largest body to accept in bytes; 1 MiB if absent, 16 MiB at most. */
  maxBody?: number;
}

/** `fetch` as on the web, over the capability `http`. The global one is the same. */
export function fetch(input: string | URL | Request, init?: FetchInit): Promise<Response>;

/** What a step is told beside `with`. */
export interface Context {
  /** The pipeline's name. */
  readonly pipeline: string;
  /** The stage's name. */
  readonly stage: string;
  /** The step's name. */
  readonly step: string;
  /** The run's id. */
  readonly run: string;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /** Says in a line what the step did. */
  summarize(text: string): void;
}

/** A capability of the host. The log, `metrics` and `timer` need no mention: they are always there. */
export type Capability = 'approval' | 'artifacts' | 'docker' | 'health' | 'http' | 'process' | 'query' | 'traffic';

/** What a capability is needed for; with `optional` the plugin works without it, too. */
export type Use = string | { reason: string; optional?: boolean };

/** The type of an output's value. */
export type OutputType = 'string' | 'number' | 'bool' | 'list' | 'object';

/** An output: its type, or that with what it means. */
export type OutputSpec = OutputType | { type: OutputType; documentation?: string };

/** A JSON Schema, draft 2020-12. */
export interface Schema {
  readonly [key: string]: unknown;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: { readonly [name: string]: Schema };
  readonly required?: readonly string[];
  readonly items?: Schema | boolean;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
}

/** The values that a schema allows, as far as a type can say it; `Value` for that of `schemas.value`. */
export type FromSchema<S> = S extends { type: readonly ['string', 'object'] }
  ? Value
  : S extends { const: infer C } | { enum: readonly (infer C)[] }
    ? C
    : S extends { anyOf: readonly (infer A)[] } | { oneOf: readonly (infer A)[] }
      ? FromSchema<A>
      : S extends { properties: infer P }
        ? FromProperties<P, S extends { required: readonly (infer R)[] } ? R : never>
        : S extends { type: 'array'; items: infer I }
          ? FromSchema<I>[]
          : S extends { type: 'object'; additionalProperties: infer A extends object }
            ? Record<string, FromSchema<A>>
            : S extends { type: infer T }
              ? FromType<T extends readonly (infer One)[] ? One : T>
              : unknown;

type FromProperties<P, R> = { -readonly [K in keyof P as K extends R ? K : never]: FromSchema<P[K]> } & {
  -readonly [K in keyof P as K extends R ? never : K]?: FromSchema<P[K]>;
};

interface Types {
  string: string;
  number: number;
  integer: number;
  boolean: boolean;
  null: null;
  array: unknown[];
  object: Record<string, unknown>;
}

type FromType<T> = T extends keyof Types ? Types[T] : unknown;

interface OutputTypes {
  string: string;
  number: number | bigint;
  bool: boolean;
  list: readonly unknown[];
  object: object;
}

type TypeOf<O> = O extends { type: infer T extends OutputType } ? OutputTypes[T] : O extends OutputType ? OutputTypes[O] : never;

/** What `run` gives: a value for each described output; one that is left out is not given. */
export type Outputs<O> = { [K in keyof O]?: TypeOf<O[K]> | null };

/** What a plugin is. */
export interface Definition<S, O> {
  /** The plugin's name; the package's if absent. */
  name?: string;
  /** The plugin's version; the package's if absent. */
  version?: string;
  /** What it does, in Markdown; the first line is its summary. */
  documentation?: string;
  /**
   * The JSON Schema of `with`. Keys that it does not describe are errors, unless it has `additionalProperties`.
   * Windlass checks it before anything runs, and `run` gets a value of this type.
   */
  with?: S;
  /** The capabilities that it needs, and what for. A call of any other is denied. */
  uses?: { [C in Capability]?: Use };
  /** What it gives to later steps. */
  outputs?: O;
  /** Does the work. What it throws is why the step failed. */
  run(input: FromSchema<S>, context: Context): Outputs<O> | void | Promise<Outputs<O> | void>;
}

/** A plugin: what its module exports by default. */
export interface Plugin {
  describe(): object;
  run(input: object): Promise<object>;
}

/** Makes a plugin. */
export function plugin<const S extends Schema = {}, const O extends { readonly [name: string]: OutputSpec } = {}>(
  definition: Definition<S, O>,
): Plugin;
