import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fingerprint } from '../../../shared/pki/bundle.ts';
import type { InvalidReason } from '../../../shared/pki/invalid.ts';
import {
  checkOutsideAuthority,
  type OutsideCertificate,
  type OutsideExpectation,
} from '../../../shared/pki/outside-authority.ts';
import { spkiHash, subjectKeyIdentifier } from '../../../shared/pki/public-key.ts';
import { refusal } from './support/errors.ts';
import { type CertificateParts, handCertificate } from './support/hand-certificate.ts';
import { keyPair, rsaSpki } from './support/keys.ts';
import { ECDSA_WITH_SHA256, extension } from './support/requests.ts';
import {
  context,
  hex,
  implicit,
  integer,
  name,
  type Octets,
  octetString,
  oid,
  sequence,
  tlv,
  utf8,
  yes,
} from './support/tlv.ts';

const COMMON_NAME = 'Everleaf Authority a1b2c3d4';
const cn = (text: string) => name(['2.5.4.3', utf8(text)]);
const CLIENT_AUTH = oid('1.3.6.1.5.5.7.3.2');
const SERVER_AUTH = oid('1.3.6.1.5.5.7.3.1');
const ANY_PURPOSE = oid('2.5.29.37.0');

const constraints = (pathLength?: string, critical = true): Octets =>
  extension('2.5.29.19', sequence(yes(), ...(pathLength ? [integer(pathLength)] : [])), critical);
/** keyCertSign is bit 5, cRLSign bit 6. */
const keyUsage = (bits = '0106'): Octets => extension('2.5.29.15', tlv(0x03, hex(bits)), true);
const keyId = (id: Uint8Array): Octets => extension('2.5.29.14', octetString(id));
const issuerKeyId = (id: Uint8Array): Octets => extension('2.5.29.35', sequence(implicit(0, id)));
const purposes = (...oids: Octets[]): Octets => extension('2.5.29.37', sequence(...oids));
const permits = (...names: Octets[]): Octets =>
  extension('2.5.29.30', sequence(context(0, ...names.map((each) => sequence(each)))), true);
const excludes = (...names: Octets[]): Octets =>
  extension('2.5.29.30', sequence(context(1, ...names.map((each) => sequence(each)))), true);
const uri = (host: string) => implicit(6, Buffer.from(host));

const own = keyPair('P-256', 'own');
const root = keyPair('P-384', 'root');
const middle = keyPair('P-256', 'middle');
const ROOT_ID = Uint8Array.of(7, 7, 7);

const rootParts: CertificateParts = {
  key: root,
  issuer: cn('root'),
  subject: cn('root'),
  notAfter: new Date('2036-01-01T00:00:00Z'),
  extensions: [constraints(), keyUsage(), keyId(ROOT_ID)],
};
const ownParts: CertificateParts = {
  key: own,
  issuerKey: root,
  issuer: cn('root'),
  subject: cn(COMMON_NAME),
  notAfter: new Date('2028-01-01T00:00:00Z'),
  extensions: [constraints('00'), keyUsage(), keyId(subjectKeyIdentifier(own.spki)), issuerKeyId(ROOT_ID)],
};
const middleParts: CertificateParts = {
  ...ownParts,
  key: middle,
  subject: cn('middle'),
  extensions: [constraints('01'), keyUsage(), keyId(Uint8Array.of(5)), issuerKeyId(ROOT_ID)],
};
const EXPECTED: OutsideExpectation = {
  spkiHash: spkiHash(own.spki),
  commonName: COMMON_NAME,
  now: new Date('2026-06-01T00:00:00Z'),
  neededUntil: new Date('2026-11-28T00:00:00Z'),
  trustDomain: 'fleet.everleaf.test',
  roots: [],
};

const pathOf = (
  changes: Partial<CertificateParts> = {},
  rootChanges: Partial<CertificateParts> = {},
): OutsideCertificate => ({
  certificate: handCertificate({ ...ownParts, ...changes }),
  issuers: [handCertificate({ ...rootParts, ...rootChanges })],
});

const check = (given: OutsideCertificate, changes: Partial<OutsideExpectation> = {}) =>
  checkOutsideAuthority(given, { ...EXPECTED, ...changes });

const refused = (
  reason: InvalidReason,
  given: OutsideCertificate,
  changes: Partial<OutsideExpectation> = {},
) => refusal('InvalidInput', reason, () => check(given, changes));

describe('an authority below an outside root', () => {
  it('is taken when everybody will accept what it signs', () => {
    const { serialNumber, notAfter } = check(pathOf());
    assert.equal(serialNumber, '01');
    assert.deepEqual(notAfter, new Date('2028-01-01T00:00:00Z'));
    // Another way to compute the key identifier, no path length, and no key usage in the root.
    check(
      pathOf(
        { extensions: [constraints(), keyUsage(), keyId(Uint8Array.of(1, 2, 3))] },
        { extensions: [constraints()] },
      ),
    );
  });

  it('is taken below authorities between it and the root', () => {
    const [above] = pathOf().issuers;
    const issuers = [handCertificate(middleParts), ...(above ? [above] : [])];
    const parts = { ...ownParts, issuerKey: middle, issuer: cn('middle') };
    const extensions = [constraints(), keyUsage(), keyId(Uint8Array.of(1)), issuerKeyId(Uint8Array.of(5))];
    const path = { certificate: handCertificate({ ...parts, extensions }), issuers };
    check(path);
    const short = handCertificate({ ...middleParts, extensions: [constraints('00'), keyUsage()] });
    refused('path-too-long', { ...path, issuers: [short, ...issuers.slice(1)] });
    refused('broken-path', { ...path, issuers: issuers.toReversed().concat(issuers.slice(1)) });
  });

  it('is refused when it is for another key, another name, or a key without an identifier', () => {
    refused('wrong-key', pathOf({ key: keyPair('P-256', 'somebody') }));
    refused('wrong-subject', pathOf({ subject: cn('Everleaf Authority ffffffff') }));
    const longer = name(['2.5.4.10', utf8('Contoso')], ['2.5.4.3', utf8(COMMON_NAME)]);
    refused('wrong-subject', pathOf({ subject: longer }));
    const without = [constraints('00'), keyUsage()];
    refused('no-key-identifier', pathOf({ extensions: without }));
    refused('no-key-identifier', pathOf({ extensions: [...without, keyId(new Uint8Array())] }));
  });

  it('is refused when it, or an issuer of it, is no authority', () => {
    const rest = ownParts.extensions?.slice(2) ?? [];
    refused('not-an-authority', pathOf({ extensions: [keyUsage(), ...rest] }));
    refused('not-an-authority', pathOf({ extensions: [constraints('00', false), keyUsage(), ...rest] }));
    refused('not-an-authority', pathOf({ extensions: [constraints('00'), ...rest] }));
    refused('not-an-authority', pathOf({ extensions: [constraints('00'), keyUsage('0204'), ...rest] }));
    refused('malformed', pathOf({ extensions: [constraints('00'), keyUsage('00'), ...rest] }));
    refused('not-an-authority', pathOf({}, { extensions: [keyUsage()] }));
    refused('not-an-authority', pathOf({}, { extensions: [constraints(), keyUsage('0102')] }));
    refused('path-too-long', pathOf({}, { extensions: [constraints('00'), keyUsage()] }));
  });

  it('is refused when it is not in force, ends soon, or outlives an issuer', () => {
    const sentence = refused('not-in-force', pathOf({ notBefore: new Date('2026-06-01T00:00:01Z') }));
    assert.match(sentence, /^The certificate is in force from 2026-06-01T00:00:01Z to 2028-01-01T00:00:00Z/);
    refused('not-in-force', pathOf({}, { notBefore: new Date('2026-07-01T00:00:00Z') }));
    refused('not-in-force', pathOf({}, { notAfter: new Date('2026-05-31T23:59:59Z') }));
    // notAfter counts in.
    const until = new Date('2026-11-28T00:00:00Z');
    check(pathOf({ notAfter: until }));
    refused('ends-too-soon', pathOf({ notAfter: new Date(until.getTime() - 1000) }));
    check(pathOf({}, { notAfter: new Date('2028-01-01T00:00:00Z') }));
    const outlives = refused('outlives-issuer', pathOf({}, { notAfter: new Date('2027-12-31T23:59:59Z') }));
    assert.match(outlives, /certificate 1 of the chain, which ends at 2027-12-31T23:59:59Z/);
  });

  it('is refused when purposes or names are narrower than what it will sign', () => {
    const allowing = (one: Octets) => ({ extensions: [...(ownParts.extensions ?? []), one] });
    check(pathOf(allowing(purposes(CLIENT_AUTH, SERVER_AUTH))));
    check(pathOf(allowing(purposes(ANY_PURPOSE))));
    refused('narrow-purposes', pathOf(allowing(purposes(CLIENT_AUTH))));
    const rootWith = (one: Octets) => ({ extensions: [...(rootParts.extensions ?? []), one] });
    refused('narrow-purposes', pathOf({}, rootWith(purposes(SERVER_AUTH))));

    for (const one of ['fleet.everleaf.test', '.everleaf.test', 'Fleet.Everleaf.TEST']) {
      check(pathOf(allowing(permits(uri(one)))));
      refused('narrow-names', pathOf(allowing(excludes(uri(one)))));
    }
    for (const one of ['everleaf.test', '.fleet.everleaf.test', '']) {
      refused('narrow-names', pathOf(allowing(permits(uri(one)))));
    }
    // Some verifiers read a bare domain as one with everything below it.
    refused('narrow-names', pathOf(allowing(excludes(uri('everleaf.test')))));
    check(pathOf(allowing(excludes(uri('other.test'), implicit(1, Buffer.from('mail.test'))))));
    check(pathOf({}, rootWith(permits(uri('.test'), uri('fleet.everleaf.test')))));
    const dns = refused('narrow-names', pathOf(allowing(permits(implicit(2, Buffer.from('corp.test'))))));
    assert.match(dns, /constrains DNS names/);
    refused('narrow-names', pathOf({}, rootWith(excludes(context(4, cn('management'))))));
    refused('malformed', pathOf(allowing(permits())));
  });

  it('is refused with a critical extension that verifiers may not know', () => {
    const odd = extension('1.2.3.4', sequence(), true);
    refused('unknown-critical-extension', pathOf({ extensions: [...(ownParts.extensions ?? []), odd] }));
  });

  it('is refused when the path does not hold together up to a self-signed root', () => {
    const { certificate, issuers } = pathOf();
    refused('no-root', { certificate, issuers: [] });
    refused('no-root', { certificate, issuers: [handCertificate({ ...rootParts, issuer: cn('above') })] });
    refused('broken-path', pathOf({ issuer: cn('Root') }));
    const wrongId = [...(ownParts.extensions ?? []).slice(0, 3), issuerKeyId(Uint8Array.of(8))];
    refused('broken-path', pathOf({ extensions: wrongId }));
    refused('broken-path', pathOf({ issuerKey: keyPair('P-384', 'another root') }));
    refused('broken-path', pathOf({}, { issuerKey: keyPair('P-384', 'another root') }));
    refused('unexpected-root', { certificate, issuers }, { roots: ['ab'.repeat(32)] });
    check({ certificate, issuers }, { roots: ['ab'.repeat(32), fingerprint(issuers[0] as Uint8Array)] });
  });

  it('is refused with weak digests, weak keys, and more certificates than anybody needs', () => {
    const sha1 = { signatureAlgorithm: sequence(oid('1.2.840.10045.4.1')), hash: 'sha1' };
    assert.match(refused('weak-digest', pathOf(sha1)), /^The certificate is refused: /);
    refused('weak-digest', pathOf({}, sha1));
    const short = { ...root, spki: rsaSpki((1n << 1023n) + 1n) };
    refused('rsa-key-too-small', pathOf({}, { key: short, signatureAlgorithm: ECDSA_WITH_SHA256() }));
    const { certificate, issuers } = pathOf();
    refused('too-large', { certificate, issuers: Array.from({ length: 6 }, () => issuers[0] as Uint8Array) });
    const padding = extension('1.2.3.4', octetString(new Uint8Array(12_000)));
    refused('too-large', pathOf({ extensions: [...(ownParts.extensions ?? []), padding] }));
    refused('trailing-data', { certificate: Buffer.concat([certificate, hex('00')]), issuers });
  });
});
