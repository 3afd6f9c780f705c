// Parts of a `with` schema that many plugins need.

/** Text, or `{ secret = "name" }`: goes wherever a `Value` is wanted. */
export function value(description) {
  return { ...secret(description), type: ['string', 'object'] };
}

/** `{ secret = "name" }`: goes wherever a `Value` is wanted. */
export function secret(description) {
  return {
    type: 'object',
    description,
    properties: { secret: { type: 'string', description: 'The name of a secret in `[secrets]`.' } },
    required: ['secret'],
    additionalProperties: false,
  };
}
