// From an interface of the contract to functions of JavaScript.

import { CapabilityError } from './failure.js';
import { types as value } from './interfaces/value.js';
import { camel } from './names.js';
import { lift, lower, register } from './values.js';

register('value', value);

/** While a plugin is built there is no host. */
let running = false;

/** From here on there is one. */
export function begin() {
  running = true;
}

/** Makes functions of those of `host`, which is the interface `name`. */
export function calls(name, host, types, functions) {
  register(name, types);
  return (which) => {
    const call = `${name}.${which}`;
    const invoke = host[camel(which)];
    const { params, answer } = functions[which];
    const wanted = Object.entries(params).map(([param, type]) => ({ type, place: `${call}: ${camel(param)}` }));
    return (...args) => {
      if (!running) throw new Error(`${call} is called while the plugin is built: call it when a step runs`);
      if (args.length > wanted.length) throw new TypeError(`${call} takes ${wanted.length} arguments, not ${args.length}`);
      const lowered = wanted.map(({ type, place }, at) => lower(type, args[at], place));
      let given;
      try {
        given = invoke(...lowered);
      } catch (error) {
        throw failed(call, error);
      }
      return answer === undefined ? undefined : lift(answer, given);
    };
  };
}

function failed(call, error) {
  const payload = error?.payload;
  if (typeof payload?.tag !== 'string') return error;
  const made = new CapabilityError(call, payload.tag, payload.val);
  // Where the plugin called is what its author wants to know.
  Error.captureStackTrace?.(made, failed);
  return made;
}
