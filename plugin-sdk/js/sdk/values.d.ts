// Values between JavaScript and the contract.

/** The name of a secret in `[secrets]` of `pipeline.toml`. A plugin never holds the secret itself. */
export class Secret {
  constructor(name: string);
  readonly secret: string;
}

/** Stands for a secret wherever a `Value` is wanted: the host puts it in at the edge. */
export function secret(name: string): Secret;

/** Text, or a secret: an environment variable, a header, a credential. */
export type Value = string | { readonly secret: string };

/** Names with text: an object, a Map, or a list. */
export type Pairs =
  | Readonly<Record<string, string>>
  | Iterable<readonly [string, string] | { name: string; value: string }>
  | null;

/** Names with values that may be secret: an object, a Map, or a list. */
export type Values =
  | Readonly<Record<string, Value>>
  | Iterable<readonly [string, Value] | { name: string; value: Value }>
  | null;

/** Bytes; text stands for its UTF-8. */
export type Bytes = Uint8Array | ArrayBuffer | ArrayBufferView | string | null;

/** A whole number of 64 bits. An answer is a number as well; one beyond 2^53 comes as a BigInt. */
export type Integer = number | bigint;
