// The step's log, and the console that writes to it.

import { log as write } from './interfaces/log.js';

const at = (level) => (...parts) => write(level, line(parts));

/** The step's log. Needs no grant. */
export const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };

/** Lets `console` write to the step's log. */
export function installConsole() {
  let indent = '';
  const counts = new Map();
  const starts = new Map();
  const to = (write) => (...parts) => write(line(parts).replace(/^/gm, indent));
  const took = (label) => `${label}: ${(performance.now() - starts.get(label)).toFixed(1)} ms`;
  Object.assign(globalThis.console, {
    debug: to(log.debug),
    trace: to(log.debug),
    log: to(log.info),
    info: to(log.info),
    dir: to(log.info),
    table: to(log.info),
    warn: to(log.warn),
    error: to(log.error),
    assert: (truth, ...parts) => truth || to(log.error)('assertion failed', ...parts),
    group: (...parts) => {
      if (parts.length > 0) to(log.info)(...parts);
      indent += '  ';
    },
    groupEnd: () => {
      indent = indent.slice(2);
    },
    count: (label = 'default') => {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      to(log.info)(`${label}: ${counts.get(label)}`);
    },
    time: (label = 'default') => starts.set(label, performance.now()),
    timeLog: (label = 'default') => starts.has(label) && to(log.info)(took(label)),
    timeEnd: (label = 'default') => {
      if (starts.has(label)) to(log.info)(took(label));
      starts.delete(label);
    },
  });
}

/** What is printed for these values: text as it is, the rest as one would write it. */
export function line(parts) {
  return parts.map((part) => (typeof part === 'string' ? part : shown(part, []))).join(' ');
}

function shown(value, above) {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Error) return value.stack ? `${value}\n${value.stack.trimEnd()}` : String(value);
  if (value instanceof Date || value instanceof RegExp || value instanceof URL) return String(value);
  if (above.includes(value)) return '[circular]';
  if (above.length > 4) return Array.isArray(value) ? '[...]' : '{...}';
  const inside = [...above, value];
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `${value.constructor.name}(${value.byteLength})`;
  if (Array.isArray(value)) return `[${value.map((item) => shown(item, inside)).join(', ')}]`;
  if (value instanceof Set) return `Set ${shown([...value], above)}`;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const fields = entries.map(([key, item]) => `${String(key)}: ${shown(item, inside)}`);
  const kind = value.constructor && value.constructor !== Object ? `${value.constructor.name} ` : '';
  return fields.length > 0 ? `${kind}{ ${fields.join(', ')} }` : `${kind}{}`;
}
