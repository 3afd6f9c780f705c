// What the plugin does.

import { Failure, plugin } from 'windlass-plugin';

export default plugin({
  documentation: 'Greets somebody.',

  // What a step gives to the plugin: a JSON Schema, which Windlass checks before anything runs.
  with: {
    properties: {
      name: { type: 'string', description: 'Whom to greet.' },
    },
    required: ['name'],
  },

  // What a step gives to later ones.
  outputs: {
    greeting: { type: 'string', documentation: 'The greeting.' },
  },

  async run({ name }) {
    if (name === '') throw new Failure('there is nobody to greet');
    const greeting = `hello, ${name}`;
    console.log(greeting);
    return { greeting };
  },
});
