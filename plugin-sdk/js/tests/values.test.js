// Values between JavaScript and the contract, without a host: `node --test plugin-sdk/js/tests`.

import assert from 'node:assert/strict';
import test from 'node:test';
import { types as value } from '../sdk/interfaces/value.js';
import * as schemas from '../sdk/schemas.js';
import { lift, lower, register, secret } from '../sdk/values.js';

register('value', value);
register('shop', {
  size: { enum: ['small', 'large'] },
  wrap: { variant: { none: null, 'gift-paper': 'u32' } },
  label: { variant: { plain: 'string', stamped: 'bool' } },
  order: {
    record: {
      name: 'string',
      'item-count': 'option<u64>',
      size: 'shop.size',
      wrap: 'shop.wrap',
      tags: 'list<string>',
      env: 'list<value.named-value>',
      content: 'list<u8>',
      express: 'bool',
    },
  },
});
const low = (type, given) => lower(type, given, 'it');

test('what is left out is absent, empty, false or the first case', () => {
  assert.deepEqual(low('shop.order', { name: 'a' }), {
    name: 'a',
    itemCount: undefined,
    size: 'small',
    wrap: { tag: 'none' },
    tags: [],
    env: [],
    content: new Uint8Array(),
    express: false,
  });
});

test('easy forms stand for those of the contract', () => {
  const lowered = low('shop.order', {
    name: 'a',
    itemCount: 2 ** 53,
    wrap: { giftPaper: 3 },
    env: { A: 'b', TOKEN: secret('token') },
    content: 'ü',
  });
  assert.equal(lowered.itemCount, 2n ** 53n);
  assert.deepEqual(lowered.wrap, { tag: 'gift-paper', val: 3 });
  assert.deepEqual(lowered.env, [
    { name: 'A', value: { tag: 'plain', val: 'b' } },
    { name: 'TOKEN', value: { tag: 'secret', val: 'token' } },
  ]);
  assert.deepEqual(lowered.content, Uint8Array.of(0xc3, 0xbc));
  const pairs = [{ name: 'A', value: 'b' }];
  for (const given of [{ A: 'b' }, new Map([['A', 'b']]), [['A', 'b']], pairs]) {
    assert.deepEqual(low('list<value.pair>', given), pairs);
  }
});

test('what is wrong is told by its place', () => {
  const told = (type, given, message) => assert.throws(() => low(type, given), { message });
  told('string', 5, 'it has to be text, not number');
  told('shop.order', { name: 'a', tags: ['b', 5] }, 'it.tags[1] has to be text, not number');
  told('shop.order', { name: 'a', tags: 'b' }, 'it.tags has to be a list, not string');
  told('shop.order', {}, 'it.name has to be text, not left out');
  told('shop.size', 'huge', 'it has to be one of small, large, not string');
  told('shop.label', undefined, 'it has to be one of { plain: ... }, { stamped: ... }, not left out');
  told('shop.wrap', { giftPaper: 1, none: 2 }, "it has to be one of 'none', { giftPaper: ... }, not object");
  told('u16', 65_536, 'it has to be from 0 to 65535, not 65536');
  told('u64', 1.5, 'it has to be a whole number, not number');
  assert.throws(() => low('shop.order', { nmae: 'a' }), /it has no field nmae: there are name, itemCount/);
});

test('answers are in full, with numbers as long as they are exact', () => {
  assert.equal(lift('u64', 2n ** 53n - 1n), 2 ** 53 - 1);
  assert.equal(lift('u64', 2n ** 63n), 2n ** 63n);
  assert.equal(lift('option<string>', undefined), undefined);
  const record = { ...low('shop.order', { name: 'a', itemCount: 1, wrap: { giftPaper: 3 } }) };
  const lifted = lift('shop.order', { ...record, env: [] });
  assert.equal(lifted.itemCount, 1);
  assert.deepEqual(lifted.wrap, { giftPaper: 3 });
});

test('times and sizes are read as the other SDKs read them', () => {
  assert.deepEqual(['90s', '1m30s', '1.5h 2min', '5ms'].map(schemas.milliseconds), [90_000, 90_000, 5_520_000, 5]);
  assert.deepEqual(['1B', '1.5 kB', '256MiB'].map(schemas.bytes), [1, 1500, 268_435_456]);
  for (const wrong of ['', '5', '5x', '5s!']) assert.throws(() => schemas.milliseconds(wrong), TypeError);
  for (const wrong of ['', '5', '5XB', 'MB']) assert.throws(() => schemas.bytes(wrong), TypeError);
});
