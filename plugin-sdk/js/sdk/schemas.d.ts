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
