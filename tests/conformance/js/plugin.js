// Makes the calls that it is told to make and gives back the answers: the conformance suite's plugin in JavaScript.
//
// It speaks as `tests/guests/asks` does, with the contract's own names, and calls through the SDK as any plugin would.

import { CapabilityError, Failure, plugin } from 'windlass-plugin';
import * as interfaces from 'windlass-plugin/interfaces';
import { given, told } from './json.js';
import { own } from './own.js';

const { approval, artifacts, docker, health, http, log, metrics, process, query, timer, traffic } = interfaces;
const capabilities = { approval, artifacts, docker, health, http, log, metrics, process, query, timer, traffic };
const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
let traps = false;

const made = plugin({
  documentation: 'Makes the calls that it is told to make, and gives back the answers.',
  with: {
    properties: {
      calls: {
        type: 'array',
        description: 'The calls, in this order.',
        items: {
          type: 'object',
          properties: {
            function: { type: 'string', description: 'The function, as `docker.run`.' },
            args: { type: 'object', description: 'Its arguments by their names.' },
            pass: { type: 'string', description: 'The argument that gets what the last call answered.' },
            times: { type: 'integer', description: 'How often to make it; its last answer counts.' },
            or: { enum: ['go-on', 'fail'], description: 'What to do if it answers with an error.' },
          },
          required: ['function'],
        },
      },
      then: { enum: ['succeed', 'fail', 'trap', 'spin'], description: 'What to do when all calls are made.' },
      summary: { type: 'string', description: "The step's summary." },
      say: { type: 'string', description: 'What to log at the start.' },
      echo: { description: 'Anything: given back as the output `echo`.' },
      own: { enum: Object.keys(own), description: "What to do that is JavaScript's own." },
    },
    required: ['calls'],
  },
  uses: Object.fromEntries(
    ['approval', 'artifacts', 'docker', 'health', 'http', 'process', 'query', 'traffic'].map((capability) => [
      capability,
      { reason: `for calls of \`${capability}\``, optional: true },
    ]),
  ),
  outputs: {
    answers: { type: 'list', documentation: 'The answer of each call: `{ ok = ... }`, or `{ err = { denied = "..." } }`.' },
    last: { type: 'object', documentation: 'The last answer by itself.' },
    errors: { type: 'number', documentation: 'How many answers are errors.' },
    echo: { type: 'string', documentation: 'What `with.echo` holds, as JSON text.' },
    own: { type: 'object', documentation: 'What came of `with.own`.' },
    attempt: { type: 'number', documentation: 'Which attempt of the step this is.' },
    place: { type: 'string', documentation: 'The run, and the pipeline, stage and step, as `run pipeline/stage/step`.' },
  },
  async run(input, context) {
    if (input.say !== undefined) console.log(input.say);
    const answers = [];
    let kept;
    for (const { function: name, args = {}, pass, times = 1, or = 'go-on' } of input.calls) {
      const all = pass === undefined ? args : { ...args, [pass]: undefined };
      let answer;
      for (let time = 0; time < times; time += 1) [answer, kept] = call(name, all, pass, kept);
      if (or === 'fail' && answer.err) throw new Failure(`${name}: ${Object.values(answer.err)[0]}`);
      answers.push(answer);
    }
    const mine = input.own && (await own[input.own]());
    if (mine?.undescribed) return mine;
    if (input.then === 'fail') throw new Failure(`told to fail; answers: ${JSON.stringify(answers)}`);
    if (input.then === 'spin') for (;;);
    traps = input.then === 'trap';
    if (input.summary !== undefined) context.summarize(input.summary);
    return {
      answers,
      last: answers.at(-1) ?? {},
      errors: answers.filter((answer) => answer.err).length,
      echo: input.echo === undefined ? undefined : JSON.stringify(input.echo),
      own: mine,
      attempt: context.attempt,
      place: `${context.run} ${context.pipeline}/${context.stage}/${context.step}`,
    };
  },
});

/** Makes a call. Gives its answer as JSON, and as it came. */
function call(name, args, pass, last) {
  const [capability, of] = name.split('.');
  const spec = capabilities[capability]?.functions[of];
  if (spec === undefined) throw new Failure(`${name}: there is no such function`);
  const unknown = Object.keys(args).find((arg) => !(arg in spec.params));
  if (unknown !== undefined) throw new Failure(`${name}: there is no argument \`${unknown}\``);
  const values = Object.entries(spec.params).map(([param, type]) =>
    param === pass ? last : given(interfaces, type, args[param]),
  );
  try {
    const answer = capabilities[capability][camel(of)](...values);
    return [{ ok: spec.answer === undefined ? null : told(interfaces, spec.answer, answer) }, answer];
  } catch (error) {
    if (!(error instanceof CapabilityError)) throw error;
    return [{ err: { [error.code]: error.message } }, undefined];
  }
}

// The SDK makes a failure of whatever is thrown, and the engine of any error: nothing at all is what neither can tell.
export default {
  describe: made.describe,
  async run(input) {
    const outcome = await made.run(input);
    if (traps) throw null;
    return outcome;
  },
};
