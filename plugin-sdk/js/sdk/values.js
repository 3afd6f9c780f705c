// Values between JavaScript and the contract. What a plugin passes may have easy forms: fields are left out, bytes are
// text, maps are objects. What it gets is always in full.

import { camel } from './names.js';

/** The name of a secret in `[secrets]` of `pipeline.toml`. A plugin never holds the secret itself. */
export class Secret {
  constructor(name) {
    this.secret = name;
  }
}

/** Stands for a secret wherever a `Value` is wanted: the host puts it in at the edge. */
export function secret(name) {
  return new Secret(name);
}

/** The types of all interfaces that the plugin uses, by the interface's name. */
const tables = new Map();

export function register(name, types) {
  tables.set(name, types);
}

function named(type) {
  const [table, name] = type.split('.');
  return tables.get(table)[name];
}

function wrong(place, wanted, value) {
  const got = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
  return new TypeError(`${place} has to be ${wanted}, not ${value === undefined ? 'left out' : got}`);
}

/** The type within `option<...>` or `list<...>`. Taken apart once: this runs for every part of every call. */
const inners = new Map();

function inner(type) {
  let found = inners.get(type);
  if (found === undefined) {
    found = type.slice(type.indexOf('<') + 1, -1);
    inners.set(type, found);
  }
  return found;
}

/** A value as the host takes it. `place` says what it is, for whoever passed a wrong one. */
export function lower(type, value, place) {
  if (type.startsWith('option<')) {
    return value === undefined || value === null ? undefined : lower(inner(type), value, place);
  }
  if (type.startsWith('list<')) return type === 'list<u8>' ? bytes(value, place) : list(inner(type), value, place);
  switch (type) {
    case 'string':
      if (typeof value !== 'string') throw wrong(place, 'text', value);
      return value;
    case 'bool':
      if (value === undefined || value === null) return false;
      if (typeof value !== 'boolean') throw wrong(place, 'true or false', value);
      return value;
    case 'f64':
      if (typeof value !== 'number') throw wrong(place, 'a number', value);
      return value;
  }
  if (!type.includes('.')) return integer(type, value, place);
  if (type === 'value.value') return maybeSecret(value, place);
  const shape = named(type);
  if (shape.record) return record(shape.record, value, place);
  if (shape.enum) return oneOf(shape.enum, value ?? shape.enum[0], place);
  return variant(shape.variant, value, place);
}

function bytes(value, place) {
  if (value === undefined || value === null) return new Uint8Array();
  if (typeof value === 'string') return new TextEncoder().encode(value);
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw wrong(place, 'a Uint8Array or text', value);
}

function list(of, value, place) {
  if (value === undefined || value === null) return [];
  let items = value;
  if (of === 'value.pair' || of === 'value.named-value') items = pairs(value);
  if (typeof items === 'string' || typeof items[Symbol.iterator] !== 'function') throw wrong(place, 'a list', value);
  return Array.from(items, (item, at) => lower(of, item, `${place}[${at}]`));
}

/** `{ A: 'b' }`, a Map or an array of either form, as a list of names with values. */
function pairs(value) {
  if (typeof value !== 'object') return value;
  const entries = typeof value[Symbol.iterator] === 'function' ? [...value] : Object.entries(value);
  return entries.map((entry) => (Array.isArray(entry) ? { name: entry[0], value: entry[1] } : entry));
}

const ranges = {
  u8: [0n, 2n ** 8n - 1n],
  u16: [0n, 2n ** 16n - 1n],
  // componentize-js takes the lower half of a number that is no 32-bit integer to the engine, so that larger ones would come
  // to the host as others (its embedding calls `toInt32` on a double). Nothing wants them so large.
  u32: [0n, 2n ** 31n - 1n],
  u64: [0n, 2n ** 64n - 1n],
  s32: [-(2n ** 31n), 2n ** 31n - 1n],
  s64: [-(2n ** 63n), 2n ** 63n - 1n],
};

function integer(type, value, place) {
  const whole = typeof value === 'bigint' || Number.isInteger(value);
  if (!whole) throw wrong(place, 'a whole number', value);
  const [least, most] = ranges[type];
  const big = BigInt(value);
  if (big < least || big > most) throw new RangeError(`${place} has to be from ${least} to ${most}, not ${value}`);
  return type.endsWith('64') ? big : Number(big);
}

function maybeSecret(value, place) {
  if (typeof value === 'string') return { tag: 'plain', val: value };
  // The form of `with`, `{ secret = "name" }`, is passed on as it came.
  if (typeof value === 'object' && value !== null) {
    if (typeof value.secret === 'string') return { tag: 'secret', val: value.secret };
    if (typeof value.plain === 'string') return { tag: 'plain', val: value.plain };
  }
  throw wrong(place, 'text or a secret', value);
}

function record(fields, value, place) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(place, 'an object', value);
  const known = Object.keys(fields).map(camel);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new TypeError(`${place} has no field ${unknown}: there are ${known.join(', ')}`);
  const lowered = {};
  for (const [field, type] of Object.entries(fields)) {
    const name = camel(field);
    lowered[name] = lower(type, value[name], `${place}.${name}`);
  }
  return lowered;
}

function oneOf(cases, value, place) {
  if (!cases.includes(value)) throw wrong(place, `one of ${cases.join(', ')}`, value);
  return value;
}

/** `'always'` for a case without a value, `{ onFailure: 3 }` for one with a value. */
function variant(cases, value, place) {
  const names = Object.keys(cases);
  const choice = value ?? (cases[names[0]] === null ? names[0] : undefined);
  if (typeof choice === 'string' && cases[choice] === null) return { tag: choice };
  const [key, ...more] = typeof choice === 'object' && choice !== null ? Object.keys(choice) : [];
  const tag = names.find((name) => camel(name) === key && cases[name] !== null);
  if (tag === undefined || more.length > 0) {
    const forms = names.map((name) => (cases[name] === null ? `'${name}'` : `{ ${camel(name)}: ... }`));
    throw wrong(place, `one of ${forms.join(', ')}`, value);
  }
  return { tag, val: lower(cases[tag], choice[key], `${place}.${key}`) };
}

/** A value of the host as a plugin gets it. */
export function lift(type, value) {
  if (type.startsWith('option<')) return value === undefined || value === null ? undefined : lift(inner(type), value);
  if (type.startsWith('list<')) {
    return type === 'list<u8>' ? value : Array.from(value, (item) => lift(inner(type), item));
  }
  if (typeof value === 'bigint') {
    const number = Number(value);
    // Beyond this a number would be another one.
    return Number.isSafeInteger(number) ? number : value;
  }
  if (!type.includes('.')) return value;
  const shape = named(type);
  if (shape.record) {
    const lifted = {};
    for (const [field, of] of Object.entries(shape.record)) lifted[camel(field)] = lift(of, value[camel(field)]);
    return lifted;
  }
  if (shape.enum) return value;
  const of = shape.variant[value.tag];
  return of === null ? value.tag : { [camel(value.tag)]: lift(of, value.val) };
}
