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

/** A time, as `"90s"` or `"1m30s"`: `milliseconds` reads it. */
export function duration(description) {
  return { type: 'string', description, pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|min|h|d) *)+$' };
}

/** A size, as `"256MiB"`: `bytes` reads it. */
export function size(description) {
  return { type: 'string', description, pattern: '^[0-9]+(\\.[0-9]+)? *(B|[kK]B|[MGT]B|[KMGT]iB)$' };
}

const times = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const sizes = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** `"1m30s"` in milliseconds. */
export function milliseconds(text) {
  const parts = [...text.matchAll(/([0-9]+(?:\.[0-9]+)?)(ms|min|s|m|h|d) */gy)];
  if (text === '' || parts.map(([part]) => part).join('') !== text) {
    throw new TypeError(`${JSON.stringify(text)} is no time like "90s" or "1m30s"`);
  }
  return Math.round(parts.reduce((sum, [, number, unit]) => sum + Number(number) * times[unit], 0));
}

/** `"256MiB"` in bytes. */
export function bytes(text) {
  const [, number, unit] = /^([0-9]+(?:\.[0-9]+)?) *([A-Za-z]+)$/.exec(text) ?? [];
  if (!Object.hasOwn(sizes, unit ?? '')) throw new TypeError(`${JSON.stringify(text)} is no size like "256MiB"`);
  return Math.round(Number(number) * sizes[unit]);
}
