import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CertificateRecord } from '../../../shared/domain/identity.ts';
import {
  isSameListing,
  type ListedRevocation,
  listRevocation,
  type RevokingFacts,
} from '../../../shared/domain/listed-revocation.ts';
import type { CertificateRevocation, RevocationRule } from '../../../shared/domain/revocation.ts';
import { after, buildIdentity } from '../../support/build-identity.ts';
import { buildLine } from '../../support/build-line.ts';

const identity = buildIdentity();
const line = buildLine();
const certificate: CertificateRecord = {
  v: 1,
  identity: { cluster: identity.cluster, name: identity.name },
  incarnation: 1,
  instance: line.id,
  serialNumber: '0a',
  authorityId: 'a1',
  issuedAt: after(0),
  notBefore: after(0),
  notAfter: after(90),
  spkiHash: 'key',
  der: Uint8Array.of(),
};
const bare: RevokingFacts = { identity, instance: line, revocations: [], rules: [], parts: [] };
const revokedAt = (day: number, revocationReason: ListedRevocation['reason'] | null = 'superseded') => ({
  revokedAt: after(day),
  revocationReason,
});
const row = (serialNumber: string, changes: Partial<CertificateRevocation> = {}): CertificateRevocation => ({
  v: 1,
  ...{ identity: certificate.identity, instance: line.id, serialNumber, spkiHash: 'other' },
  ...{ authorityId: 'a1', notAfter: after(90), revokedAt: after(3), reason: 'superseded' },
  ...changes,
});
const rule = (day: number): RevocationRule => ({
  v: 1,
  ...{ id: 'r', clientType: null, cluster: 'x', dnsName: null, issuedBefore: null },
  ...{ reason: 'affiliationChanged', createdAt: after(day), createdBy: 'anna' },
});

const list = (facts: Partial<RevokingFacts>, listed: ListedRevocation | null = null) => {
  const found = listRevocation(certificate, { ...bare, ...facts }, listed);
  return found === null ? null : [found.revokedAt, found.reason, found.isByRuleAlone];
};

test('what nothing revokes is on no list', () => {
  assert.equal(list({}), null);
  assert.equal(list({ revocations: [row('0b'), row('0b', { spkiHash: 'key' })] }), null);
});

test('an identity, a line, a serial number and a compromised key each revoke a certificate for good', () => {
  assert.deepEqual(list({ identity: { ...identity, ...revokedAt(1) } }), [after(1), 'superseded', false]);
  assert.deepEqual(list({ instance: { ...line, ...revokedAt(2, null) } }), [after(2), 'unspecified', false]);
  assert.deepEqual(list({ revocations: [row('0a')] }), [after(3), 'superseded', false]);
  const compromised = row('0b', { spkiHash: 'key', reason: 'keyCompromise' });
  assert.deepEqual(list({ instance: null, revocations: [compromised] }), [after(3), 'keyCompromise', false]);
});

test('the first moment and reason stay, unless one says that the key was compromised', () => {
  const facts = { identity: { ...identity, ...revokedAt(5) }, instance: { ...line, ...revokedAt(2) } };
  const revocations = [row('0a', { revokedAt: after(9), reason: 'privilegeWithdrawn' })];
  assert.deepEqual(list({ ...facts, revocations }), [after(2), 'superseded', false]);
  const worse = [row('0a', { revokedAt: after(9), reason: 'keyCompromise' })];
  assert.deepEqual(list({ ...facts, revocations: worse }), [after(2), 'keyCompromise', false]);
});

test('a certificate of an earlier life is revoked since that life ended, as far as anybody knows', () => {
  const again = { ...identity, incarnation: 2, createdAt: after(20) };
  assert.deepEqual(list({ identity: again }), [after(20), 'cessationOfOperation', false]);
  const listed = listRevocation(
    certificate,
    { ...bare, identity: { ...identity, ...revokedAt(10, 'keyCompromise') } },
    null,
  );
  assert.deepEqual(list({ identity: { ...again, ...revokedAt(30) } }, listed), [
    after(10),
    'keyCompromise',
    false,
  ]);
});

test('what a rule alone revokes goes with it, and what else revokes it stays with the rule’s moment', () => {
  const ruled = listRevocation(certificate, { ...bare, rules: [rule(4)] }, null);
  assert.deepEqual(list({ rules: [rule(4)] }), [after(4), 'affiliationChanged', true]);
  assert.equal(list({}, ruled), null);
  const both = { rules: [rule(4)], identity: { ...identity, ...revokedAt(6) } };
  assert.deepEqual(list(both, ruled), [after(4), 'affiliationChanged', false]);
});

test('the earliest invalidity date that was said of a certificate stays', () => {
  const part = { identity, instance: null, serialNumber: null, invalidityDate: after(2) };
  const parts = [
    part,
    { ...part, invalidityDate: null },
    { ...part, instance: 'another', invalidityDate: after(0) },
    { ...part, serialNumber: 'ff', invalidityDate: after(0) },
    { ...part, instance: line.id, invalidityDate: after(1) },
  ];
  const revoked = { ...bare, identity: { ...identity, ...revokedAt(5) } };
  const first = listRevocation(certificate, { ...revoked, parts }, null);
  assert.deepEqual(first?.invalidityDate, after(1));
  const later = listRevocation(certificate, { ...revoked, parts: [part] }, first);
  assert.deepEqual(later?.invalidityDate, after(1));
  assert.ok(first !== null && later !== null && isSameListing(first, later));
  for (const changes of [
    { reason: 'keyCompromise' },
    { invalidityDate: null },
    { revokedAt: after(6) },
    { isByRuleAlone: true },
  ] as const) {
    assert.equal(isSameListing(first, { ...first, ...changes }), false);
  }
});
