// Tells a web hook about a release, and asks again for a while if nobody answers.

import { CapabilityError, Failure, fetch, plugin, timer } from 'windlass-plugin';

/** How long to wait before each further try, in milliseconds. */
const PAUSES = [100, 400];

export default plugin({
  documentation: 'Tells a web hook about a release.',
  with: {
    properties: {
      webhook: { type: 'string', description: 'The address that is told.' },
      version: { type: 'string', description: 'The version that is released.' },
      headline: { type: 'string', description: 'The release in a line.' },
      page: { type: 'string', description: 'Where its page is.' },
    },
    required: ['webhook', 'version', 'headline', 'page'],
  },
  uses: { http: 'to tell the web hook' },
  outputs: {
    announced: { type: 'bool', documentation: 'Whether somebody has heard it.' },
    answer: { type: 'string', documentation: 'What was answered, if something was.' },
  },

  async run({ webhook, ...news }, context) {
    const body = JSON.stringify(news);
    for (const pause of [0, ...PAUSES]) {
      timer.sleep(pause);
      const response = await post(webhook, body);
      if (response?.ok) {
        context.summarize(news.headline);
        return { announced: true, answer: await response.text() };
      }
      // The hook has understood, and does not want it: no other try helps.
      if (response && response.status < 500) throw new Failure(`${webhook} answers ${response.status} ${response.statusText}`);
    }
    context.summarize('nobody has heard it');
    return { announced: false };
  },
});

/**
 * Posts it. Gives nothing if nobody is there to listen.
 * @param {string} url
 * @param {string} body
 */
async function post(url, body) {
  try {
    return await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, timeoutMs: 5000 });
  } catch (error) {
    if (!(error instanceof CapabilityError) || !['unavailable', 'timed-out'].includes(error.code)) throw error;
    console.warn(error.message);
    return undefined;
  }
}
