// Parts of a `with` schema that many plugins need.

/** Text, or `{ secret = "name" }`: goes wherever a `Value` is wanted. */
export function value(description: string): {
  readonly type: readonly ['string', 'object'];
  readonly description: string;
};

/** `{ secret = "name" }`: goes wherever a `Value` is wanted. */
export function secret(description: string): {
  readonly type: 'object';
  readonly description: string;
  readonly properties: { readonly secret: { readonly type: 'string' } };
  readonly required: readonly ['secret'];
};

/** A time, as `"90s"` or `"1m30s"`: `milliseconds` reads it. */
export function duration(description: string): { readonly type: 'string'; readonly description: string };

/** A size, as `"256MiB"`: `bytes` reads it. */
export function size(description: string): { readonly type: 'string'; readonly description: string };

/** `"1m30s"` in milliseconds. */
export function milliseconds(text: string): number;

/** `"256MiB"` in bytes. */
export function bytes(text: string): number;
