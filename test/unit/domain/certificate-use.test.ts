import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNewsToSee, lineAfterProof, placeInLine } from '../../../shared/domain/certificate-use.ts';
import { type Instance, lineAfterLogin } from '../../../shared/domain/instance.ts';
import { after, buildHead, buildIdentity } from '../../support/build-identity.ts';

const HEAD = buildHead({ serialNumber: 'aa', vaultVersion: null });
const SUCCESSOR = {
  ...buildHead({ serialNumber: 'bb', vaultVersion: null }),
  renewCount: 1,
  spkiHash: 'new key',
};
const FRESH = lineAfterLogin(null, buildIdentity(), 'line', { head: HEAD, spkiHash: 'first key' });
const RENEWED: Instance = { ...FRESH, provenAt: after(1), successor: SUCCESSOR };

test('A certificate is the head of its line, the successor, or superseded', () => {
  assert.equal(placeInLine(RENEWED, { serialNumber: 'aa' }), 'head');
  assert.equal(placeInLine(RENEWED, { serialNumber: 'bb' }), 'successor');
  assert.equal(placeInLine(RENEWED, { serialNumber: 'cc' }), 'superseded');
  assert.equal(placeInLine(FRESH, { serialNumber: 'bb' }), 'superseded');
});

test('The first proof by the head is recorded, and then one an hour', () => {
  const proven = lineAfterProof(FRESH, 'head', after(1));
  assert.deepEqual(proven, { ...FRESH, provenAt: after(1), lastSeenAt: after(1) });
  assert.ok(proven !== null);
  assert.equal(lineAfterProof(proven, 'head', after(1, 3600)), null);
  assert.deepEqual(lineAfterProof(proven, 'head', after(1, 3601)), { ...proven, lastSeenAt: after(1, 3601) });
});

test('The first proof by the successor makes it the head, and the line remembers where it began', () => {
  const { spkiHash, ...head } = SUCCESSOR;
  const line = lineAfterProof(RENEWED, 'successor', after(2));
  assert.deepEqual(line, {
    ...RENEWED,
    head,
    spkiHash,
    provenAt: after(2),
    successor: null,
    originalSerialNumber: 'aa',
    lastSeenAt: after(2),
  });
  const later = lineAfterProof({ ...RENEWED, originalSerialNumber: 'first' }, 'successor', after(2));
  assert.equal(later?.originalSerialNumber, 'first');
});

test('Being seen is news after more than an hour, or for the first time', () => {
  assert.equal(isNewsToSee(null, after(1)), true);
  assert.equal(isNewsToSee(after(1), after(1, 3600)), false);
  assert.equal(isNewsToSee(after(1), after(1, 3601)), true);
});
