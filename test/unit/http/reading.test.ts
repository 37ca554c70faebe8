import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { parseBody, readJsonBody } from '../../../shared/http/body.ts';
import { correlationIdOf } from '../../../shared/http/correlation.ts';
import { presentedToken } from '../../../shared/http/presented-token.ts';
import { readInstant, readLimit, readOffset, readState } from '../../../shared/http/query.ts';
import { httpRequest } from './requests.ts';

const SCHEMA = z.object({ token: z.string().optional(), 'a/b~c': z.number().optional() });
const INVALID = { code: 'InvalidInput' };

test('A body of 64 KiB is read and one byte more is PayloadTooLarge, whatever its JSON says', async () => {
  const bodyOf = (length: number) => {
    const frame = JSON.stringify({ token: '' });
    return JSON.stringify({ token: 'a'.repeat(length - frame.length) });
  };
  assert.equal(
    (await readJsonBody(httpRequest({ body: bodyOf(65_536) }), SCHEMA)).token?.length,
    65_536 - 12,
  );
  await assert.rejects(readJsonBody(httpRequest({ body: bodyOf(65_537) }), SCHEMA), {
    code: 'PayloadTooLarge',
  });
  await assert.rejects(readJsonBody(httpRequest({ body: '{'.repeat(1_000_000) }), SCHEMA), {
    code: 'PayloadTooLarge',
  });
});

test('A body that is announced as too large is not read at all', async () => {
  const request = httpRequest({ body: '{}', headers: { 'content-length': '65537' } });
  await assert.rejects(readJsonBody(request, SCHEMA), { code: 'PayloadTooLarge' });
  assert.equal(request.bodyUsed, false);
});

test('An empty body, text, another encoding and half a JSON are refused', async () => {
  for (const body of ['', 'token=1', '{"token":', '{} {}', new Uint8Array([0x22, 0xff, 0x22])]) {
    await assert.rejects(readJsonBody(httpRequest({ body }), SCHEMA), INVALID);
  }
  await assert.rejects(readJsonBody(httpRequest(), SCHEMA), { ...INVALID, message: /Content-Length/ });
});

test('A mistake in the shape is pointed at as RFC 6901 has it, and its value is not repeated', async () => {
  const secret = 'elt1_secret';
  await assert.rejects(readJsonBody(httpRequest({ body: JSON.stringify({ 'a/b~c': secret }) }), SCHEMA), {
    ...INVALID,
    details: { pointer: '/a~1b~0c' },
    message: /^(?!.*elt1_secret)/,
  });
  await assert.rejects(readJsonBody(httpRequest({ body: '[]' }), SCHEMA), {
    ...INVALID,
    details: { pointer: '' },
  });
});

test('A token comes from the body, or from the Authorization header with or without Bearer', () => {
  assert.equal(presentedToken('elt1_a', 'Bearer elt1_b'), 'elt1_a');
  assert.equal(presentedToken(undefined, 'Bearer elt1_b'), 'elt1_b');
  assert.equal(presentedToken(undefined, 'bearer  elt1_b'), 'elt1_b');
  assert.equal(presentedToken(undefined, 'elt1_b'), 'elt1_b');
  // An empty one is a token that is refused, and not the absence of one.
  assert.equal(presentedToken('', 'Bearer elt1_b'), '');
  assert.throws(() => presentedToken(undefined, null), { code: 'NoAuthenticationInformation' });
});

test('A correlation id is taken from the caller only in the form of one', () => {
  const taken = (header: string | null) => correlationIdOf(header, 'own') === header;
  for (const id of ['12345678', 'a'.repeat(64), 'a1b2c3d4-0000-0000-0000-000000000000']) assert.ok(taken(id));
  for (const id of [
    null,
    '',
    '1234567',
    'a'.repeat(65),
    'with space',
    'line\nbreak',
    'ümlaut-1',
    '12345678;',
  ]) {
    assert.equal(correlationIdOf(id, 'own'), 'own');
  }
});

test('limit is a whole number from 1 to 500, 100 without one', () => {
  const limit = (value: string) => readLimit(httpRequest({ query: { limit: value } }));
  assert.equal(readLimit(httpRequest()), 100);
  assert.equal(limit('1'), 1);
  assert.equal(limit('500'), 500);
  for (const value of ['0', '501', '-1', '1.5', 'ten', ' ', '']) assert.throws(() => limit(value), INVALID);
});

test('An instant is one in UTC, to the second or finer', () => {
  const instant = (at: string) => readInstant(httpRequest({ query: { at } }), 'at');
  assert.equal(readInstant(httpRequest(), 'at'), null);
  assert.deepEqual(instant('2026-11-21T00:00:00Z'), new Date('2026-11-21T00:00:00Z'));
  assert.deepEqual(instant('2026-11-21T00:00:00.5Z'), new Date('2026-11-21T00:00:00.500Z'));
  for (const at of [
    '2026-11-21',
    '2026-11-21T00:00:00',
    '2026-13-01T00:00:00Z',
    '2026-11-21T00:00:00+01:00',
    '0',
    '',
  ]) {
    assert.throws(() => instant(at), INVALID);
  }
});

test('A cursor into the plan is a position, and a state one of the known ones', () => {
  const offset = (cursor: string) => readOffset(httpRequest({ query: { cursor } }));
  assert.equal(readOffset(httpRequest()), 0);
  assert.equal(offset('250'), 250);
  for (const cursor of ['-1', '1e3', 'x', '9999999999', '']) assert.throws(() => offset(cursor), INVALID);
  const state = (text: string) => readState(httpRequest({ query: { state: text } }));
  assert.equal(readState(httpRequest()), null);
  assert.equal(state('Retrying'), 'Retrying');
  for (const text of ['retrying', 'toString', '']) assert.throws(() => state(text), INVALID);
});

test('A body with a field that is not known is told the name of that field, unless it may be a token', () => {
  const schema = z.strictObject({ name: z.string() });
  const refusal = (field: string) => {
    try {
      parseBody(new TextEncoder().encode(JSON.stringify({ name: 'a', [field]: 1 })), schema);
    } catch (error) {
      return (error as Error).message;
    }
    return assert.fail('the body was accepted');
  };
  assert.match(refusal('forse'), /forse/);
  const token = `elt1_${'A'.repeat(70)}`;
  assert.ok(!refusal(token).includes(token));
  assert.match(refusal(token), /a field that is not known/);
});
