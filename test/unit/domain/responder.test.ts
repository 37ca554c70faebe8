import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Authority } from '../../../shared/domain/authority.ts';
import { addMs, DAY_MS, HOUR_MS, SECOND_MS } from '../../../shared/domain/instants.ts';
import { validityFor } from '../../../shared/domain/policy.ts';
import {
  isResponderAttemptUsable,
  isResponderEnding,
  needsResponder,
  planResponder,
  type Responder,
  renewResponderAt,
  responderInForce,
  responderKeyType,
  responderValidity,
} from '../../../shared/domain/responder.ts';
import { buildAuthority } from '../../support/build-authority.ts';

const NOW = new Date('2026-11-21T08:00:00Z');
const AUTHORITY = buildAuthority(validityFor(NOW, 365));

function responderOf(issuedAt: Date, authority: Pick<Authority, 'notAfter'> = AUTHORITY): Responder {
  const validity = responderValidity(authority, issuedAt);
  const one = { ...validity, serialNumber: '01', keyId: 'https://key', certificate: Uint8Array.of(1) };
  return { v: 1, authorityId: AUTHORITY.id, attempt: null, certificates: [one] };
}

describe('a responder', () => {
  it('lives for seven days, and no longer than its authority', () => {
    const { notBefore, notAfter } = responderValidity(AUTHORITY, NOW);
    assert.deepEqual(notAfter, addMs(NOW, 7 * DAY_MS - SECOND_MS));
    assert.ok(notBefore < NOW);
    const end = addMs(NOW, DAY_MS);
    assert.deepEqual(responderValidity({ notAfter: end }, NOW).notAfter, end);
  });

  it('is wanted for every authority that is trusted and has not ended', () => {
    const states = [
      'Creating',
      'Prepared',
      'Published',
      'Active',
      'Retiring',
      'Retired',
      'Tainted',
      'Revoked',
    ];
    const wanted = states.filter((state) =>
      needsResponder({ ...AUTHORITY, state: state as Authority['state'] }, NOW),
    );
    assert.deepEqual(wanted, ['Published', 'Active', 'Retiring', 'Tainted']);
    assert.ok(needsResponder(AUTHORITY, AUTHORITY.notAfter));
    assert.ok(!needsResponder(AUTHORITY, addMs(AUTHORITY.notAfter, 1)));
  });

  it('has a key of the authority’s kind, small enough to answer many', () => {
    assert.equal(responderKeyType({ keyType: 'EC-P256' }), 'EC-P256');
    assert.equal(responderKeyType({ keyType: 'RSA-4096' }), 'RSA-2048');
  });

  it('is in force from its first second to its last, the newest first', () => {
    const [old] = responderOf(NOW).certificates;
    const [young] = responderOf(addMs(NOW, 4 * DAY_MS)).certificates;
    assert.ok(old !== undefined && young !== undefined);
    const both = { ...responderOf(NOW), certificates: [young, old] };
    assert.equal(responderInForce(null, NOW), null);
    assert.equal(responderInForce(both, NOW), old);
    assert.equal(responderInForce(both, young.notBefore), young);
    assert.equal(responderInForce(both, young.notAfter), young);
    assert.equal(responderInForce(both, addMs(young.notAfter, 1)), null);
  });

  it('is renewed at half of its life, at once where there is none, and never when it ends with its authority', () => {
    const half = addMs(NOW, 3.5 * DAY_MS - SECOND_MS);
    assert.deepEqual(renewResponderAt(AUTHORITY, responderOf(NOW), NOW), half);
    assert.equal(renewResponderAt(AUTHORITY, null, NOW), NOW);
    const later = addMs(NOW, 8 * DAY_MS);
    assert.equal(renewResponderAt(AUTHORITY, responderOf(NOW), later), later);
    const ending = { notAfter: addMs(NOW, DAY_MS) };
    assert.equal(renewResponderAt(ending, responderOf(NOW, ending), NOW), null);
  });

  it('is made of an earlier attempt as long as that would not be due at once', () => {
    const attempt = {
      ...responderValidity(AUTHORITY, NOW),
      ...{ serialNumber: '01', spkiHash: null, certificate: null },
    };
    assert.ok(isResponderAttemptUsable(attempt, addMs(NOW, 3 * DAY_MS)));
    assert.ok(!isResponderAttemptUsable(attempt, addMs(NOW, 4 * DAY_MS)));
  });

  it('is reported when it is missing or has two days left, unless nothing can be done about it', () => {
    const responder = responderOf(NOW);
    const at = (days: number) => isResponderEnding(AUTHORITY, responder, addMs(NOW, days * DAY_MS));
    assert.deepEqual([0, 4, 5.5, 8].map(at), [false, false, true, true]);
    assert.ok(isResponderEnding(AUTHORITY, null, NOW));
    assert.ok(!isResponderEnding({ ...AUTHORITY, state: 'Retired' }, null, NOW));
    const ending = { ...AUTHORITY, notAfter: addMs(NOW, DAY_MS) };
    assert.ok(!isResponderEnding(ending, responderOf(NOW, ending), addMs(NOW, HOUR_MS)));
  });

  it('stands in the plan with what is to be done', () => {
    const responder = responderOf(NOW);
    const at = (now: Date, of: Responder | null = responder) => {
      const { action, reason, text } = planResponder(AUTHORITY, of, now);
      return [action, reason, text.replace(/^.*: /, '')];
    };
    assert.deepEqual(at(NOW), ['none', 'NotDue', 'it ends at 2026-11-28T07:59:59Z']);
    assert.deepEqual(at(addMs(NOW, 4 * DAY_MS)), ['renew', 'InWindow', 'it ends at 2026-11-28T07:59:59Z']);
    assert.deepEqual(at(NOW, null), ['renew', 'Overdue', 'there is none']);
    const ending = { ...AUTHORITY, notAfter: addMs(NOW, DAY_MS) };
    const last = planResponder(ending, responderOf(NOW, ending), NOW);
    assert.deepEqual([last.action, last.dueAt], ['none', ending.notAfter]);
    assert.match(last.text, /as the authority does$/);
  });
});
