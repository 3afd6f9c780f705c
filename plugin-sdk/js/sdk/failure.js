// Why a step failed, in words for people.

/** Why a step failed: thrown by a plugin, and told to the person who runs the pipeline. */
export class Failure extends Error {
  constructor(message, { hint, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Failure';
    this.hint = hint;
  }
}

/** A call that the host answered with an error. */
export class CapabilityError extends Failure {
  constructor(call, code, message) {
    const [capability] = call.split('.');
    // An error without words would make an empty failure.
    super(message || `${call}: ${code}`, { hint: hints[`${capability}.${code}`] });
    this.name = 'CapabilityError';
    this.function = call;
    this.capability = capability;
    this.code = code;
  }
}

// The host's messages say what failed; which capability it was says what to do about it. A denial names the grant that
// is missing itself.
const docker = 'is Docker running? `windlass doctor` looks';
const hints = {
  'docker.unavailable': docker,
  'docker.registry-unavailable': "is the registry's name right, and is it running?",
  'docker.unauthorized': 'check the credentials of the step, or log in at the registry',
  'docker.port-in-use': 'choose another port on the host, or leave it out to get one that is free',
  'docker.disk-full': '`docker system prune` frees what is not used',
  'health.unavailable': docker,
  'query.unavailable': 'is Prometheus running, and is its URL right?',
  'traffic.unavailable': '`windlass router status` looks; `windlass router start` starts the router',
};

/** Mistakes of the code rather than of the world: their names say more than their messages. */
const mistakes = [TypeError, ReferenceError, RangeError, SyntaxError];

export function isMistake(error) {
  return mistakes.some((mistake) => error instanceof mistake);
}

/** Anything that was thrown, as the contract's record of a failure. */
export function told(thrown) {
  if (!(thrown instanceof Error)) {
    return { message: typeof thrown === 'string' ? thrown : `thrown: ${text(thrown)}`, hint: undefined };
  }
  let message = words(thrown);
  let hint = thrown.hint;
  for (let cause = thrown.cause; cause !== undefined && cause !== null; cause = cause.cause) {
    message += `: ${cause instanceof Error ? words(cause) : text(cause)}`;
    hint ??= cause.hint;
  }
  return { message, hint: typeof hint === 'string' ? hint : undefined };
}

function words(error) {
  return isMistake(error) ? `${error.name}: ${error.message}` : error.message || error.name;
}

function text(value) {
  try {
    return (typeof value === 'object' && JSON.stringify(value)) || String(value);
  } catch {
    return String(value);
  }
}
