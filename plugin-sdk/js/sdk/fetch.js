// `fetch`, as it is on the web, over the capability `http`.

import { CapabilityError } from './failure.js';
import { send } from './interfaces/http.js';

/** Statuses whose answers have no body. */
const bodiless = new Set([101, 204, 205, 304]);

/**
 * Sends a request. An answer with whatever status is one; it throws where there is none. Beside those of the web, `init`
 * has `timeoutMs`, `redirects` and `maxBody`, and a header may be a secret.
 */
export async function fetch(input, init = {}) {
  const request = typeof Request === 'function' && input instanceof Request ? input : undefined;
  const method = (init.method ?? request?.method ?? 'GET').toUpperCase();
  const headers = entries(init.headers ?? request?.headers ?? {});
  const body = await content(init.body ?? (request && !['GET', 'HEAD'].includes(method) ? request : undefined), headers);
  init.signal?.throwIfAborted?.();
  const redirect = init.redirect ?? request?.redirect ?? 'follow';
  const answer = send({
    method,
    url: String(request?.url ?? input),
    headers,
    body,
    timeoutMs: init.timeoutMs,
    redirects: redirect === 'follow' ? (init.redirects ?? 20) : 0,
    maxBody: init.maxBody,
  });
  if (redirect === 'error' && answer.status >= 300 && answer.status < 400 && answer.status !== 304) {
    throw new CapabilityError('http.send', 'invalid', `${answer.url} redirects, which is not wanted`);
  }
  return response(answer, answer.url !== String(request?.url ?? input));
}

function response({ status, headers, body, url }, redirected) {
  const made = new Response(bodiless.has(status) ? null : body, {
    status,
    headers: headers.map(({ name, value }) => [name, value]),
  });
  Object.defineProperty(made, 'url', { value: url });
  Object.defineProperty(made, 'redirected', { value: redirected });
  return made;
}

function entries(headers) {
  const all = typeof headers[Symbol.iterator] === 'function' ? [...headers] : Object.entries(headers);
  // The host counts the body itself.
  const told = all.filter(([name]) => name.toLowerCase() !== 'content-length');
  return told.map(([name, value]) => ({ name, value: typeof value === 'object' ? value : String(value) }));
}

/** The body as bytes, with the header that goes with its kind where none is given. */
async function content(body, headers) {
  if (body === undefined || body === null) return undefined;
  const assume = (type) => {
    if (!headers.some(({ name }) => name.toLowerCase() === 'content-type')) headers.push({ name: 'content-type', value: type });
  };
  if (typeof body === 'string') {
    assume('text/plain;charset=UTF-8');
    return body;
  }
  if (body instanceof URLSearchParams) {
    assume('application/x-www-form-urlencoded;charset=UTF-8');
    return String(body);
  }
  if (ArrayBuffer.isView(body) || body instanceof ArrayBuffer) return body;
  if (body instanceof Request) return new Uint8Array(await body.arrayBuffer());
  // Blobs, forms and streams: the Response of the engine knows how to read them.
  const read = new Response(body);
  const type = read.headers.get('content-type');
  if (type) assume(type);
  return new Uint8Array(await read.arrayBuffer());
}
