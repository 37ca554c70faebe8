import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  AUTHORITY_STATES,
  type Authority,
  activateSuccessorBy,
  authorityCommonName,
  authorityEndText,
  canIssue,
  isActive,
  isFinished,
  isSuccessor,
  isTrusted,
  prepareSuccessorAt,
  retireAt,
  trustAnchor,
} from '../../../shared/domain/authority.ts';
import { addMs, DAY_MS, HOUR_MS, toInstant } from '../../../shared/domain/instants.ts';
import { validityFor } from '../../../shared/domain/policy.ts';
import { buildAuthority } from '../../support/build-authority.ts';
import { after } from '../../support/build-identity.ts';

describe('an authority', () => {
  it('signs once it is active, with its key and its certificate at hand', () => {
    assert.equal(isActive(buildAuthority()), true);
  });

  it('does not sign while any of these is missing', () => {
    const missing: Partial<Authority>[] = [{ state: 'Creating' }, { keyId: null }, { certificate: null }];
    for (const change of missing)
      assert.equal(isActive(buildAuthority(change)), false, JSON.stringify(change));
  });

  it('has a name of its own for each id', () => {
    assert.equal(authorityCommonName('a1'), 'Everleaf Authority a1');
    assert.notEqual(authorityCommonName('a1'), authorityCommonName('a2'));
  });

  it('wants a successor on day 182 of a year, at a whole second', () => {
    const { issuedAt } = buildAuthority();
    const at = prepareSuccessorAt(buildAuthority());
    assert.equal(toInstant(at), '2027-05-22T11:59:59Z');
    assert.equal(Math.floor((at.getTime() - issuedAt.getTime()) / 86_400_000), 182);
    assert.equal(at.getTime() % 1000, 0);
  });

  it('has an end that the plan can name', () => {
    assert.equal(authorityEndText(buildAuthority()), 'authority a1 ends at 2027-11-20T23:59:59Z');
  });

  it('is trusted from its publication until it has ended, and is a successor until it signs', () => {
    const trusted = AUTHORITY_STATES.filter((state) => isTrusted(buildAuthority({ state })));
    assert.deepEqual(trusted, ['Published', 'Active', 'Retiring', 'Tainted']);
    const next = AUTHORITY_STATES.filter((state) => isSuccessor({ state }));
    assert.deepEqual(next, ['Creating', 'Prepared', 'Published']);
  });

  it('is trusted for itself, or for the outside root above it', () => {
    const authority = buildAuthority();
    assert.ok(isFinished(authority));
    assert.deepEqual(trustAnchor(authority), authority.certificate);
    const root = Uint8Array.of(2);
    assert.deepEqual(trustAnchor({ ...authority, issuers: [Uint8Array.of(1), root] }), root);
  });

  it('is followed on day 275 at the latest, or at half of a life that is hardly longer than its certificates’', () => {
    assert.equal(toInstant(activateSuccessorBy(buildAuthority(), 90)), '2027-08-22T23:59:59Z');
    const short = buildAuthority(validityFor(after(0), 100));
    assert.deepEqual(activateSuccessorBy(short, 90), prepareSuccessorAt(short));
  });

  it('issues until a day before its end', () => {
    const { notAfter } = buildAuthority();
    assert.equal(canIssue(buildAuthority(), addMs(notAfter, -DAY_MS)), true);
    assert.equal(canIssue(buildAuthority(), addMs(notAfter, 1 - DAY_MS)), false);
  });

  it('is needed until the last certificate that it may have signed has ended, and never after its own end', () => {
    const retiring = (day: number, leafValidityDays = 90) =>
      toInstant(retireAt(buildAuthority({ retiringAt: after(day), leafValidityDays })));
    assert.equal(retiring(200), toInstant(addMs(after(290), HOUR_MS)), 'an hour for what was being signed');
    assert.equal(retiring(200, 10), toInstant(addMs(after(210), HOUR_MS)));
    assert.equal(retiring(275), '2027-11-21T00:00:00Z');
    assert.equal(toInstant(retireAt(buildAuthority())), '2027-11-21T00:00:00Z');
  });
});
