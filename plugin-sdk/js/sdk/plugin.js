// From a plugin's definition to what the host calls.

import { begin } from './calls.js';
import { Failure, isMistake, told } from './failure.js';
import { fetch } from './fetch.js';
import { installConsole, log } from './log.js';

/** What package.json says: the build fills it in. */
const built = typeof WINDLASS_PACKAGE === 'undefined' ? { name: '', version: '0.0.0' } : WINDLASS_PACKAGE;

const types = ['string', 'number', 'bool', 'list', 'object'];

/** Makes a plugin. Its result is what the module has to export by default. */
export function plugin(definition) {
  if (typeof definition?.run !== 'function') throw new TypeError('`plugin({...})` needs a function `run`');
  globalThis.fetch = fetch;
  return { describe: () => description(definition), run: (input) => run(definition, input) };
}

function description({ name, version, documentation = '', with: schema, uses = {}, outputs = {} }) {
  return {
    name: name ?? built.name,
    version: version ?? built.version,
    documentation: documentation.trim(),
    withSchema: JSON.stringify(closed({ type: 'object', properties: {}, ...schema })),
    capabilities: Object.entries(uses).map(([capability, use]) => {
      const { reason, optional = false } = typeof use === 'string' ? { reason: use } : use;
      return { name: capability, required: !optional, reason };
    }),
    outputs: Object.entries(outputs).map(([output, spec]) => {
      const { type, documentation = '' } = typeof spec === 'string' ? { type: spec } : spec;
      if (!types.includes(type)) throw new TypeError(`the type of output ${output} has to be one of ${types.join(', ')}`);
      return { name: output, type, documentation };
    }),
  };
}

/** Where a schema has others: one, a list of them, or one for each name. */
const parts = {
  one: ['items', 'additionalProperties', 'contains', 'not', 'if', 'then', 'else'],
  list: ['allOf', 'anyOf', 'oneOf', 'prefixItems'],
  named: ['properties', 'patternProperties', '$defs'],
};
/** With these the schema says itself which keys are welcome. */
const open = ['additionalProperties', 'patternProperties', 'unevaluatedProperties', 'allOf', 'anyOf', 'oneOf', '$ref'];

/** A misspelt key is an error, unless the schema says that others are welcome. */
function closed(schema) {
  if (typeof schema !== 'object' || schema === null) return schema;
  const all = { ...schema };
  for (const key of parts.one) if (key in all) all[key] = closed(all[key]);
  for (const key of parts.list) if (key in all) all[key] = all[key].map(closed);
  for (const key of parts.named) {
    if (key in all) all[key] = Object.fromEntries(Object.entries(all[key]).map(([name, part]) => [name, closed(part)]));
  }
  // An object without described keys is a map of whatever a step gives.
  const isRecord = all.properties !== undefined;
  return isRecord && !open.some((key) => key in all) ? { ...all, additionalProperties: false } : all;
}

async function run({ run: work, outputs: described = {} }, input) {
  const { pipeline, stage, step, run, attempt } = input;
  begin();
  installConsole();
  let summary = '';
  const summarize = (text) => {
    summary = String(text);
  };
  try {
    const outputs = await work(JSON.parse(input.with), { pipeline, stage, step, run, attempt, summarize });
    return { summary, outputs: given(outputs, described) };
  } catch (thrown) {
    if (thrown instanceof Error && thrown.stack) {
      (isMistake(thrown) ? log.error : log.debug)(`${thrown}\n${thrown.stack.trimEnd()}`);
    }
    throw Object.assign(new Error('the step failed'), { payload: told(thrown) });
  }
}

function given(outputs, described) {
  if (outputs === undefined || outputs === null) return [];
  if (typeof outputs !== 'object' || Array.isArray(outputs)) {
    throw new Failure('the outputs of a plugin have to be an object with a field for each');
  }
  const entries = Object.entries(outputs).filter(([, value]) => value !== undefined && value !== null);
  return entries.map(([name, value]) => {
    if (!(name in described)) throw new Failure(`the plugin gives an output ${name} that it does not describe`);
    const text = JSON.stringify(value, plain);
    if (text === undefined) throw new Failure(`the output ${name} is a ${typeof value}, which JSON cannot hold`);
    return { name, value: text };
  });
}

function plain(key, value) {
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Failure(`the output holds ${value}, which is too large for JSON: make it text`);
  return number;
}
