// Values of the contract as the journal writes them, and as JavaScript has them.

const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

function taken(type) {
  const [, generic, inner] = /^(option|list)<(.*)>$/.exec(type) ?? [];
  return { generic, inner };
}

function shape(interfaces, type) {
  const [name, of] = type.split('.');
  return interfaces[name].types[of];
}

/** A value of this type from JSON. What is left out stays so: the SDK knows what stands for it. */
export function given(interfaces, type, json) {
  if (json === undefined || json === null) return undefined;
  const { generic, inner } = taken(type);
  if (generic === 'option') return given(interfaces, inner, json);
  if (generic === 'list' && inner === 'u8') return typeof json === 'string' ? json : Uint8Array.from(json);
  if (generic === 'list') return json.map((item) => given(interfaces, inner, item));
  if (!type.includes('.') || type === 'value.value') return json;
  const { record, variant } = shape(interfaces, type);
  if (record) {
    return Object.fromEntries(
      Object.entries(json).map(([field, value]) => [camel(field), given(interfaces, record[field] ?? 'unknown', value)]),
    );
  }
  if (variant && typeof json === 'object') {
    const [[name, value]] = Object.entries(json);
    return { [camel(name)]: given(interfaces, variant[name] ?? 'unknown', value) };
  }
  return json;
}

/** A value of this type as JSON. */
export function told(interfaces, type, value) {
  if (value === undefined || value === null) return null;
  const { generic, inner } = taken(type);
  if (generic === 'option') return told(interfaces, inner, value);
  if (generic === 'list' && inner === 'u8') return bytes(value);
  if (generic === 'list') return value.map((item) => told(interfaces, inner, item));
  if (!type.includes('.')) return value;
  const { record } = shape(interfaces, type);
  if (!record) return value;
  return Object.fromEntries(
    Object.entries(record).map(([field, of]) => [field, told(interfaces, of, value[camel(field)])]),
  );
}

/** What is too long for an output is told by its size and sum. */
const LONG = 64 * 1024;

function bytes(value) {
  if (value.length > LONG) return { size: value.length, sum: value.reduce((sum, byte) => (sum + byte) % 2 ** 32, 0) };
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return [...value];
  }
}
