import assert from 'node:assert/strict';
import { test } from 'node:test';
import { etagHeader, readIfMatch } from '../../../shared/http/etag.ts';
import { assertIfMatch } from '../../../shared/use-cases/if-match.ts';
import { httpRequest } from './requests.ts';

/** As Table storage writes them. */
const STORED = `W/"datetime'2026-11-21T08%3A00%3A00.1234567Z'"`;
const ifMatch = (header: string) => readIfMatch(httpRequest({ headers: { 'if-match': header } }));

test('An ETag is strong and opaque, and If-Match gives the store’s own etag again', () => {
  assert.match(etagHeader(STORED), /^"[A-Za-z0-9_-]+"$/);
  assert.deepEqual(ifMatch(etagHeader(STORED)), [STORED]);
  assert.deepEqual(ifMatch(`${etagHeader('7')} , ${etagHeader(STORED)}`), ['7', STORED]);
});

test('No If-Match is null, and an asterisk is any', () => {
  assert.equal(readIfMatch(httpRequest()), null);
  assert.equal(ifMatch(' * '), 'any');
});

test('A weak tag, an empty one and one that was not made here match nothing', () => {
  assert.deepEqual(ifMatch(`W/${etagHeader(STORED)}`), []);
  assert.deepEqual(ifMatch('"", "=not=base64url="'), []);
});

test('An If-Match that is no list of tags is refused', () => {
  for (const header of ['7', `${etagHeader('7')},`, '"a"b"', '*, "a"', 'w/"a"']) {
    assert.throws(() => ifMatch(header), { code: 'InvalidInput' }, header);
  }
});

test('What exists is changed by who names its state; what does not exist is made by who names none', () => {
  const stored = { value: {}, etag: STORED };
  assertIfMatch([STORED], stored, 'role "x"');
  assertIfMatch(['other', STORED], stored, 'role "x"');
  assertIfMatch('any', stored, 'role "x"');
  assertIfMatch(null, null, 'role "x"');
  assert.throws(() => assertIfMatch(null, stored, 'role "x"'), {
    code: 'PreconditionRequired',
    message: /role "x"/,
  });
  for (const [expected, found] of [
    [['other'], stored],
    [[], stored],
    ['any', null],
    [[STORED], null],
  ] as const) {
    assert.throws(() => assertIfMatch(expected, found, 'role "x"'), { code: 'PreconditionFailed' });
  }
});
