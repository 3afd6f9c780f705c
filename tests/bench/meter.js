// Makes as many calls as it is told to.

import { log, metrics, plugin } from 'windlass-plugin';

export default plugin({
  documentation: 'Makes as many calls as it is told to.',
  with: {
    properties: {
      log: { type: 'integer', description: 'How many lines to log.' },
      emit: { type: 'integer', description: 'How many measurements to record.' },
    },
    required: ['log', 'emit'],
  },
  run(input) {
    for (let number = 0; number < input.log; number += 1) log.info('a line of the log');
    for (let number = 0; number < input.emit; number += 1) metrics.emit({ name: 'meter', value: number, unit: '1' });
  },
});
