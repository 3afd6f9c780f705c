// What JavaScript has beside the contract: the web's ways onto it.

import { CapabilityError, Failure, artifacts, docker, environment, files, log, secret } from 'windlass-plugin';

/** Gives what `act` gives, or what it throws. */
async function outcome(act) {
  try {
    return await act();
  } catch (error) {
    const { name, message, code, hint } = error;
    return { name, message, code, hint };
  }
}

export const own = {
  async fetch() {
    const plain = await fetch('http://localhost:8080/api');
    const posted = await fetch(new URL('http://localhost:8080/api?x=ü'), {
      method: 'post',
      headers: { Authorization: secret('token'), 'X-Plain': 'plain' },
      body: JSON.stringify({ a: 'grüße' }),
      timeoutMs: 5000,
      maxBody: 1024,
      redirect: 'manual',
    });
    const form = await fetch('http://localhost:8080/api', { method: 'PUT', body: new URLSearchParams({ a: 'b c' }) });
    const request = new Request('http://localhost:8080/api', { method: 'POST', headers: { 'x-a': 'b' }, body: 'of a request' });
    const requested = await fetch(request);
    const nothing = await fetch('http://localhost:8080/api', { method: 'DELETE' });
    return {
      plain: [plain.ok, plain.status, plain.url, plain.headers.get('Content-Type'), await plain.json()],
      posted: [posted.ok, posted.status, await posted.text()],
      form: [...new Uint8Array(await form.arrayBuffer())],
      requested: await requested.text(),
      nothing: [nothing.status, await nothing.text()],
      refused: await outcome(() => fetch('http://localhost:8080/api')),
    };
  },

  console() {
    console.log('log', 1, [1, 'a'], { a: { b: null } }, new Map([['k', 1]]), new Uint8Array(3), 5n);
    console.debug('debug');
    console.info('info');
    console.warn('warn');
    console.error(new TypeError('error'));
    console.group('group');
    console.log('inside\nof it');
    console.groupEnd();
    console.assert(1 === 2, 'one is not two');
    console.count();
    const loop = { name: 'loop' };
    loop.self = loop;
    log.info('by hand', loop);
    return {};
  },

  async wait() {
    const order = [];
    setTimeout(() => order.push('later'), 20);
    await Promise.all([
      new Promise((done) => setTimeout(done, 40)),
      Promise.resolve().then(() => order.push('soon')),
    ]);
    return { order };
  },

  chance() {
    const bytes = crypto.getRandomValues(new Uint8Array(8));
    return { random: Math.random(), bytes: [...bytes], uuid: crypto.randomUUID(), now: Date.now() };
  },

  files() {
    files.makeFolder('dist/made/deep');
    files.writeFile('dist/made/deep/b.txt', 'grüße ✓');
    files.writeFile('dist/made/a.bin', Uint8Array.of(0, 255, 10));
    files.rename('dist/made/deep/b.txt', 'dist/made/c.txt');
    files.removeFolder('./dist/made/deep');
    files.writeFile('dist/gone', '');
    files.removeFile('dist/gone');
    return {
      given: files.readFile('data/a', 'utf8'),
      names: files.readFolder('dist/made'),
      bytes: [...files.readFile('dist/made/a.bin')],
      readOnly: outcomeNow(() => files.writeFile('data/a', 'other')),
      kinds: [files.kindOf('data'), files.kindOf('data/a'), files.kindOf('data/none') ?? 'nothing'],
      absent: outcomeNow(() => files.readFile('data/none')),
      outside: outcomeNow(() => files.readFile('secret/key')),
      above: outcomeNow(() => files.readFile('data/../../key')),
    };
  },

  environment() {
    return environment();
  },

  mistakes() {
    return {
      field: outcomeNow(() => docker.run({ imagee: 'x' })),
      type: outcomeNow(() => docker.tag('a', 5)),
      missing: outcomeNow(() => docker.run({})),
      range: outcomeNow(() => docker.stop('a', -1)),
      choice: outcomeNow(() => docker.run({ image: 'x', restart: 'sometimes' })),
      more: outcomeNow(() => docker.tag('a', 'b', 'c')),
      kept: outcomeNow(() => artifacts.get('none')),
    };
  },

  throws() {
    try {
      docker.inspect('web');
    } catch (error) {
      if (!(error instanceof CapabilityError) || error.code !== 'unavailable') throw error;
      throw new Failure('cannot look at the database', { cause: error });
    }
    return {};
  },

  mistake() {
    return undefined.field;
  },

  text() {
    throw 'only text';
  },

  undescribed() {
    return { undescribed: true };
  },
};

function outcomeNow(act) {
  try {
    return act();
  } catch (error) {
    const { name, message, code } = error;
    return { name, message, code };
  }
}
