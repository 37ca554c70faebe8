import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  awaitsLastCrl,
  canPublishCrl,
  crlDueAt,
  crlValidity,
  crossCrlLines,
  isCrlDue,
  isCrlOverdue,
  isLastCrl,
  isStillListed,
  longestCrlSeconds,
  nextCrlNumber,
  type PublishedCrl,
  planCrl,
} from '../../../shared/domain/crl.ts';
import { addMs, DAY_MS, HOUR_MS } from '../../../shared/domain/instants.ts';
import { buildAuthority } from '../../support/build-authority.ts';
import { after } from '../../support/build-identity.ts';

const HOURS = 72;
const NOW = after(100);
const authority = buildAuthority();

const published = (thisUpdate: Date, changes: Partial<PublishedCrl> = {}): PublishedCrl => ({
  number: 7,
  thisUpdate,
  nextUpdate: addMs(thisUpdate, HOURS * HOUR_MS),
  entries: 0,
  sha256: '',
  size: 0,
  contentHash: '',
  crossSerialNumbers: [],
  ...changes,
});

test('an authority has a list from when it is published until its key can sign no more', () => {
  const can = (changes: Parameters<typeof buildAuthority>[0], now = NOW) =>
    canPublishCrl(buildAuthority(changes), now);
  for (const state of ['Published', 'Active', 'Retiring', 'Tainted', 'Revoked'] as const) {
    assert.equal(can({ state }), true, state);
  }
  assert.equal(can({ state: 'Prepared' }), false);
  assert.equal(can({ state: 'Active', keyId: null }), false);
  assert.equal(can({ state: 'Retired', retiringAt: after(90) }), true);
  assert.equal(can({ state: 'Retired' }), false, 'it was given up and never signed');
  assert.equal(can({}, addMs(authority.notAfter, -1)), true);
  assert.equal(can({}, authority.notAfter), false);
});

test('numbers grow by one at least, and never fall behind the clock', () => {
  assert.equal(nextCrlNumber(0, NOW), NOW.getTime() / 1000);
  assert.equal(nextCrlNumber(NOW.getTime() / 1000, NOW), NOW.getTime() / 1000 + 1);
  assert.equal(nextCrlNumber(4_000_000_000, NOW), 4_000_000_001);
});

test('a list begins a little early, never before its authority, and the last ones outlive it', () => {
  assert.deepEqual(crlValidity(authority, HOURS, NOW), {
    thisUpdate: addMs(NOW, -300_000),
    nextUpdate: addMs(NOW, HOURS * HOUR_MS),
  });
  assert.deepEqual(crlValidity(authority, HOURS, authority.notBefore).thisUpdate, authority.notBefore);
  const at = (hoursBefore: number) =>
    crlValidity(authority, HOURS, addMs(authority.notAfter, -hoursBefore * HOUR_MS)).nextUpdate;
  assert.ok(at(2 * HOURS + 1) < authority.notAfter);
  for (const hours of [2 * HOURS - 1, HOURS, 1]) assert.ok(at(hours) > authority.notAfter);
  const start = addMs(authority.notAfter, -(2 * HOURS - 1) * HOUR_MS);
  const { thisUpdate, nextUpdate } = crlValidity(authority, HOURS, start);
  assert.ok(nextUpdate.getTime() - thisUpdate.getTime() <= longestCrlSeconds(authority, HOURS) * 1000);
});

test('the longest list that the settings allow is allowed, of the shortest authority too', () => {
  const shortest = buildAuthority({ notAfter: addMs(authority.issuedAt, 2 * DAY_MS - 1000) });
  for (const state of ['Active', 'Retired', 'Revoked'] as const) {
    for (const hours of [24, 72, 108]) {
      const one = { ...shortest, state };
      const { thisUpdate, nextUpdate } = crlValidity(one, hours, addMs(one.issuedAt, DAY_MS));
      const seconds = (nextUpdate.getTime() - thisUpdate.getTime()) / 1000;
      assert.ok(seconds <= longestCrlSeconds(one, hours), `${state}, ${hours} h`);
    }
  }
});

test('an authority that is over signs one list more, which lasts beyond its end, and then no other', () => {
  const before = published(addMs(NOW, -HOUR_MS));
  for (const over of [
    buildAuthority({ state: 'Retired', retiringAt: after(-90), retiredAt: NOW }),
    buildAuthority({ state: 'Revoked', taintedAt: after(-1), revokedAt: NOW }),
  ]) {
    assert.equal(awaitsLastCrl(over, null, NOW), true);
    assert.equal(awaitsLastCrl(over, before, NOW), true);
    assert.equal(isCrlDue(over, before, [], HOURS, NOW), true);
    const { dueAt, action } = planCrl(over, before, HOURS, NOW) ?? {};
    assert.deepEqual({ dueAt, action }, { dueAt: NOW, action: 'publish' });
    const last = published(NOW, crlValidity(over, HOURS, NOW));
    assert.ok(last.nextUpdate > over.notAfter);
    assert.ok(last.nextUpdate.getTime() - last.thisUpdate.getTime() <= longestCrlSeconds(over, HOURS) * 1000);
    assert.equal(awaitsLastCrl(over, last, NOW), false);
    assert.equal(isCrlDue(over, last, [], HOURS, addMs(NOW, 30 * DAY_MS)), false);
    assert.equal(planCrl(over, last, HOURS, NOW), null);
    assert.equal(canPublishCrl({ ...over, keyDisabledAt: NOW }, NOW), false);
    assert.equal(awaitsLastCrl({ ...over, keyDisabledAt: NOW }, null, NOW), false);
  }
  // One that was given up has signed nothing, and one that goes on signing has no last one yet.
  assert.equal(awaitsLastCrl(buildAuthority({ state: 'Retired', retiredAt: NOW }), null, NOW), false);
  assert.equal(isLastCrl(authority, published(NOW, { nextUpdate: after(400) })), false);
  // Made just before it was over, a list may lack what came last.
  const late = buildAuthority({ state: 'Revoked', revokedAt: addMs(NOW, 1000) });
  assert.equal(isLastCrl(late, published(NOW, crlValidity(late, HOURS, NOW))), false);
});

test('a list is due when a third of its life is over, of a shorter life after the setting was changed', () => {
  const list = published(NOW);
  assert.deepEqual(crlDueAt(list, HOURS), addMs(NOW, DAY_MS));
  assert.deepEqual(crlDueAt(list, 24), addMs(NOW, 8 * HOUR_MS));
  assert.equal(isCrlDue(authority, list, [], HOURS, addMs(NOW, DAY_MS - 1)), false);
  assert.equal(isCrlDue(authority, list, [], HOURS, addMs(NOW, DAY_MS)), true);
  assert.equal(isCrlDue(authority, null, [], HOURS, NOW), true);
});

test('a cross certificate that is not listed yet makes the list due', () => {
  const crossCertificates = ['a1', 'other'].map((issuerId) => ({
    issuerId,
    serialNumber: `0${issuerId.length}`,
    notBefore: after(0),
    notAfter: after(300),
    certificate: Uint8Array.of(1),
  }));
  const unsigned = { ...crossCertificates[0], serialNumber: '99', certificate: null } as const;
  const given = buildAuthority({
    state: 'Retired',
    retiredAt: after(50),
    crossCertificates: [...crossCertificates, { ...unsigned, issuerId: 'a1', notBefore: NOW, notAfter: NOW }],
  });
  const bad = { ...given, state: 'Revoked', taintedAt: after(40), revokedAt: after(45) } as const;
  const line = { serialNumber: '02', notAfter: after(300) };
  const [over] = crossCrlLines([given], 'a1');
  assert.deepEqual(crossCrlLines([given], 'a1'), [
    { ...line, revokedAt: after(50), reason: 'cessationOfOperation', invalidityDate: null },
  ]);
  assert.deepEqual(crossCrlLines([bad], 'a1'), [
    { ...line, revokedAt: after(45), reason: 'cACompromise', invalidityDate: after(40) },
  ]);
  assert.deepEqual(crossCrlLines([{ ...given, state: 'Active' }], 'a1'), []);
  assert.ok(over !== undefined);
  assert.equal(isCrlDue(authority, published(NOW), [over], HOURS, NOW), true);
  assert.equal(
    isCrlDue(authority, published(NOW, { crossSerialNumbers: ['02'] }), [over], HOURS, NOW),
    false,
  );
});

test('a certificate stays listed until a list was made after its end', () => {
  assert.equal(isStillListed({ notAfter: NOW }, null), true);
  assert.equal(isStillListed({ notAfter: NOW }, published(NOW)), true);
  assert.equal(isStillListed({ notAfter: NOW }, published(addMs(NOW, 1))), false);
});

test('a list is overdue a day before its end, while certificates that it is for are in force', () => {
  const list = published(NOW);
  assert.equal(isCrlOverdue(authority, list, addMs(NOW, 2 * DAY_MS - 1)), false);
  assert.equal(isCrlOverdue(authority, list, addMs(NOW, 2 * DAY_MS)), true);
  assert.equal(isCrlOverdue({ ...authority, state: 'Published' }, list, after(200)), false);
  assert.equal(isCrlOverdue({ ...authority, state: 'Retired' }, list, after(200)), false);
  assert.equal(isCrlOverdue(authority, list, authority.notAfter), false);
  const fresh = { ...authority, activatedAt: NOW };
  assert.equal(isCrlOverdue(fresh, null, addMs(NOW, DAY_MS - 1)), false);
  assert.equal(isCrlOverdue(fresh, null, addMs(NOW, DAY_MS)), true);
  assert.equal(isCrlOverdue(authority, null, after(1)), true);
});

test('the plan says when a list is replaced, and why', () => {
  const plan = (list: PublishedCrl | null, now: Date) => {
    const entry = planCrl(authority, list, HOURS, now);
    assert.ok(entry !== null);
    const { action, reason, dueAt, windowClosesAt, generation } = entry;
    return { action, reason, dueAt, windowClosesAt, generation };
  };
  const list = published(NOW);
  const common = { dueAt: addMs(NOW, DAY_MS), windowClosesAt: list.nextUpdate, generation: 7 };
  assert.deepEqual(plan(list, NOW), { ...common, action: 'none', reason: 'NotDue' });
  assert.deepEqual(plan(list, addMs(NOW, DAY_MS)), { ...common, action: 'publish', reason: 'InWindow' });
  assert.deepEqual(plan(list, list.nextUpdate), { ...common, action: 'publish', reason: 'Overdue' });
  const none = { action: 'publish', reason: 'Overdue', windowClosesAt: null, generation: 0 };
  assert.deepEqual(plan(null, NOW), { ...none, dueAt: authority.issuedAt });
});
