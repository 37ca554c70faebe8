import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { CertificateRecord } from '../../../shared/domain/identity.ts';
import {
  checkCriteria,
  findRule,
  isKeyCompromised,
  markRevoked,
  type RevocationCriteria,
  type RevocationRule,
  revokeCertificateRecord,
} from '../../../shared/domain/revocation.ts';
import { after, buildHead, buildIdentity, ISSUED_AT } from '../../support/build-identity.ts';

const NOTHING: RevocationCriteria = { clientType: null, cluster: null, dnsName: null, issuedBefore: null };
const rule = (criteria: Partial<RevocationCriteria>): RevocationRule => ({
  v: 1,
  id: 'one',
  ...NOTHING,
  ...criteria,
  reason: 'unspecified',
  createdAt: ISSUED_AT,
  createdBy: 'anna',
});
const KMS = buildIdentity({ dnsNames: ['Kms.Example.test'] });
const isFound = (criteria: Partial<RevocationCriteria>, issuedAt = ISSUED_AT, names: string[] = []) =>
  findRule([rule(criteria)], KMS, issuedAt, names) !== null;

describe('a mark of revocation', () => {
  it('keeps its first moment and its first reason', () => {
    const first = markRevoked({ revokedAt: null, revocationReason: null }, 'superseded', ISSUED_AT);
    assert.deepEqual(first, { revokedAt: ISSUED_AT, revocationReason: 'superseded' });
    assert.ok(first !== null);
    assert.equal(markRevoked(first, 'unspecified', after(1)), null);
  });

  it('takes a compromise of the key as its reason, whenever that is known', () => {
    const mark = { revokedAt: ISSUED_AT, revocationReason: 'superseded' } as const;
    const worse = { revokedAt: ISSUED_AT, revocationReason: 'keyCompromise' } as const;
    assert.deepEqual(markRevoked(mark, 'keyCompromise', after(1)), worse);
    assert.equal(markRevoked(worse, 'keyCompromise', after(2)), null);
    assert.equal(markRevoked(worse, 'superseded', after(2)), null);
  });
});

describe('the revocation of a certificate', () => {
  const { serialNumber, issuedAt, notBefore, notAfter, authorityId } = buildHead();
  const certificate: CertificateRecord = {
    v: 1,
    identity: { cluster: 'management', name: 'KMS' },
    incarnation: 1,
    instance: 'vault',
    ...{ serialNumber, issuedAt, notBefore, notAfter, authorityId },
    spkiHash: 'ab',
    der: new Uint8Array(),
  };

  it('says what a list of revoked certificates needs, and is not made twice', () => {
    const row = revokeCertificateRecord(certificate, null, 'superseded', after(1));
    assert.deepEqual(row, {
      v: 1,
      identity: certificate.identity,
      instance: 'vault',
      ...{ serialNumber, authorityId, notAfter },
      spkiHash: 'ab',
      revokedAt: after(1),
      reason: 'superseded',
    });
    assert.equal(revokeCertificateRecord(certificate, row, 'superseded', after(2)), null);
  });

  it('closes the door to its key when that was compromised, and to no other', () => {
    const row = revokeCertificateRecord(certificate, null, 'superseded', after(1));
    const worse = revokeCertificateRecord(certificate, row, 'keyCompromise', after(2));
    assert.ok(row !== null && worse !== null);
    assert.deepEqual(worse.revokedAt, after(1));
    assert.equal(isKeyCompromised([row], 'ab'), false);
    assert.equal(isKeyCompromised([row, worse], 'ab'), true);
    assert.equal(isKeyCompromised([worse], 'cd'), false);
  });
});

describe('a revocation rule', () => {
  it('revokes by client type and by cluster', () => {
    assert.ok(isFound({ clientType: 'ExternalClient' }));
    assert.ok(!isFound({ clientType: 'Node' }));
    assert.ok(isFound({ cluster: 'management' }));
    assert.ok(!isFound({ cluster: 'manage' }));
  });

  it('revokes by a DNS name that the identity may carry or the certificate carries, whatever its case', () => {
    assert.ok(isFound({ dnsName: 'kms.example.test' }));
    assert.ok(!isFound({ dnsName: 'example.test' }));
    assert.ok(isFound({ dnsName: '.example.test' }));
    assert.ok(!isFound({ dnsName: '.ample.test' }));
    assert.ok(!isFound({ dnsName: 'old.test' }));
    assert.ok(isFound({ dnsName: 'old.test' }, ISSUED_AT, ['OLD.test']));
  });

  it('revokes what was issued before a moment, and nothing that was issued at it', () => {
    assert.ok(isFound({ issuedBefore: after(0, 1) }));
    assert.ok(!isFound({ issuedBefore: ISSUED_AT }));
  });

  it('needs all of its criteria to match: one more criterion never revokes more', () => {
    const some = fc.record({
      clientType: fc.constantFrom(null, 'Node' as const, 'ExternalClient' as const),
      cluster: fc.constantFrom(null, 'management', 'alpha'),
      dnsName: fc.constantFrom(null, '.example.test', 'other.test'),
      issuedBefore: fc.constantFrom(null, ISSUED_AT, after(1)),
    });
    fc.assert(
      fc.property(
        some,
        fc.constantFrom(...(Object.keys(NOTHING) as (keyof RevocationCriteria)[])),
        (all, one) => {
          if (isFound(all)) assert.ok(isFound({ ...all, [one]: null }));
        },
      ),
    );
  });
});

describe('the criteria of a rule', () => {
  it('come out in one spelling', () => {
    const names = [
      ['*.Example.TEST', '.example.test'],
      ['.example.test', '.example.test'],
      ['Kms.example.test', 'kms.example.test'],
    ] as const;
    for (const [dnsName, expected] of names) {
      assert.equal(checkCriteria({ ...NOTHING, dnsName }).dnsName, expected);
    }
    const whole = { ...NOTHING, clientType: 'Node', cluster: 'alpha', issuedBefore: ISSUED_AT } as const;
    assert.deepEqual(checkCriteria(whole), whole);
  });

  it('are refused when there is none, or nobody could match', () => {
    const refused: [Partial<RevocationCriteria>, string][] = [
      [{}, ''],
      [{ cluster: 'No Cluster' }, '/cluster'],
      [{ dnsName: '*' }, '/dnsName'],
      [{ dnsName: '' }, '/dnsName'],
      [{ dnsName: 'a*.test' }, '/dnsName'],
      [{ dnsName: '10.0.0.1' }, '/dnsName'],
    ];
    for (const [criteria, pointer] of refused) {
      assert.throws(() => checkCriteria({ ...NOTHING, ...criteria }), {
        code: 'InvalidInput',
        details: { pointer },
      });
    }
  });
});
