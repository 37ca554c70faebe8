import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEventQuery } from '../../../shared/http/events-query.ts';
import { httpRequest } from './requests.ts';

const read = (query: Record<string, string>) => readEventQuery(httpRequest({ query }));
const INVALID = { code: 'InvalidInput' };

test('Without parameters all events are asked for, a hundred at a time', () => {
  assert.deepEqual(read({}), { chain: null, type: null, from: null, before: null, limit: 100, cursor: null });
});

test('from and to count in, in whole seconds as events are shown', () => {
  const { from, before } = read({ from: '2026-11-21T08:00:00Z', to: '2026-11-21T09:00:00Z' });
  assert.deepEqual([from, before], [new Date('2026-11-21T08:00:00Z'), new Date('2026-11-21T09:00:01Z')]);
  const fractions = read({ from: '2026-11-21T08:00:00.001Z', to: '2026-11-21T09:00:00.999Z' });
  assert.deepEqual(fractions.from, new Date('2026-11-21T08:00:01Z'));
  assert.deepEqual(fractions.before, new Date('2026-11-21T09:00:01Z'));
});

test('The end of all years is no end before everything', () => {
  for (const at of ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.500Z', '9999-12-31T24:00:00Z']) {
    const { from, before } = read({ from: at, to: at });
    assert.deepEqual([from?.getUTCFullYear(), before?.getUTCFullYear()], [9999, 9999], at);
  }
});

test('A cluster is one that could exist, or that of what concerns none', () => {
  for (const cluster of ['management', 'a-1', '_fleet']) assert.equal(read({ cluster }).chain, cluster);
  for (const cluster of ['', 'No', '_other', 'a--b', 'a|b', "a'", 'a'.repeat(33)]) {
    assert.throws(() => read({ cluster }), INVALID, cluster);
  }
});

test('A type is one that an event can have', () => {
  assert.equal(read({ type: 'token-rotated' }).type, 'token-rotated');
  for (const type of ['', 'Login', 'toString', 'nonsense'])
    assert.throws(() => read({ type }), INVALID, type);
});

test('Limits and instants are checked as everywhere', () => {
  for (const query of [{ limit: '501' }, { limit: '0' }, { from: 'yesterday' }, { to: '2026-11-21' }]) {
    assert.throws(() => read(query as unknown as Record<string, string>), INVALID);
  }
});
