import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findClaimDefect, proofId } from '../../../shared/domain/proof-claims.ts';

const NOW = new Date('2026-11-21T08:00:00.750Z');
const SECOND = NOW.getTime() / 1000 - 0.75;
const EXPECTED = { method: 'POST', url: 'https://everleaf.test/api/token/rotate', bodyHash: 'aGFzaA' };
const GOOD = { htm: 'POST', htu: EXPECTED.url, iat: SECOND, jti: 'one', body: 'aGFzaA' };

const defectOf = (claims: Record<string, unknown>) => findClaimDefect({ ...GOOD, ...claims }, EXPECTED, NOW);

test('Claims that name this request, this body and this moment have no defect', () => {
  assert.equal(findClaimDefect(GOOD, EXPECTED, NOW), null);
  assert.equal(defectOf({ nbf: 'other claims mean nothing' }), null);
});

test('Another method, address or body is a defect, and so is none', () => {
  for (const htm of ['GET', 'post', undefined]) assert.equal(defectOf({ htm }), 'wrong-method');
  for (const htu of [`${EXPECTED.url}?a=b`, `${EXPECTED.url}/`, '/api/token/rotate', undefined]) {
    assert.equal(defectOf({ htu }), 'wrong-url');
  }
  for (const body of ['aGFzaA==', '', undefined]) assert.equal(defectOf({ body }), 'wrong-body');
});

test('A request without a body needs no hash of one', () => {
  const { body: _, ...claims } = GOOD;
  assert.equal(findClaimDefect(claims, { ...EXPECTED, bodyHash: null }, NOW), null);
});

test('The clock of whoever proves may be off by five minutes either way, and not by more', () => {
  assert.equal(defectOf({ iat: SECOND - 299 }), null);
  assert.equal(defectOf({ iat: SECOND - 300 }), 'stale');
  assert.equal(defectOf({ iat: SECOND + 300 }), null);
  assert.equal(defectOf({ iat: SECOND + 301 }), 'stale');
  for (const iat of [String(SECOND), undefined, null, Number.NaN]) assert.equal(defectOf({ iat }), 'stale');
});

test('An id has 1 to 128 characters', () => {
  assert.equal(defectOf({ jti: 'a'.repeat(128) }), null);
  for (const jti of ['', 'a'.repeat(129), 7, undefined]) assert.equal(defectOf({ jti }), 'no-id');
});

test('A proof is told from others by its id and the moment in which it was made', () => {
  assert.deepEqual(proofId(GOOD), { jti: 'one', madeAt: new Date('2026-11-21T08:00:00Z') });
});
