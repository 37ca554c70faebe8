import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { parseCertificate } from '../../../shared/pki/certificate.ts';
import { assembleCrl, buildCrlTbs } from '../../../shared/pki/crl.ts';
import type { CrlEntry } from '../../../shared/pki/crl-entry-writer.ts';
import { type ParsedCrl, parseCrl, verifyCrl } from '../../../shared/pki/crl-reader.ts';
import { buildLeafTbs } from '../../../shared/pki/leaf-certificate.ts';
import { lintCrl } from '../../../shared/pki/lint-crl.ts';
import { encodePem } from '../../../shared/pki/pem.ts';
import { compareSerialNumbers } from '../../../shared/pki/serial-number.ts';
import { DURING, leafInput, makeAuthority } from './support/authority.ts';
import { crlInput, entry, REVOKED_AT, signCrl } from './support/crls.ts';
import { refusal } from './support/errors.ts';
import { type KeyKind, keyPair } from './support/keys.ts';
import { openOpensslDirectory } from './support/openssl.ts';
import {
  bitString,
  context,
  hex,
  implicit,
  integer,
  nothing,
  type Octets,
  octetString,
  oid,
  sequence,
  tlv,
  yes,
} from './support/tlv.ts';

const openssl = openOpensslDirectory();
after(() => openssl.remove());

const authority = makeAuthority();
const policy = { authority: authority.certificate, maximumValiditySeconds: 72 * 3600 };
const everyReason: readonly CrlEntry[] = [
  entry('01'),
  entry('7f', { reason: 'keyCompromise', invalidityDate: new Date('2026-05-01T00:00:00Z') }),
  entry('80', { reason: 'affiliationChanged' }),
  entry('ff00', { reason: 'superseded' }),
  entry('0a'.repeat(16), { reason: 'cessationOfOperation', revokedAt: new Date('2050-01-01T00:00:00Z') }),
  entry('0b'.repeat(16), { reason: 'privilegeWithdrawn' }),
  entry('7f'.repeat(20), { reason: 'cACompromise', invalidityDate: new Date('2050-01-01T00:00:00Z') }),
  entry(`ff${'00'.repeat(18)}`, { invalidityDate: new Date('2051-01-01T00:00:00Z') }),
].sort((one, other) => compareSerialNumbers(one.serialNumber, other.serialNumber));

const numbersOf = (crl: ParsedCrl) => [...crl.entries()].map(({ serialNumber }) => serialNumber);

describe('a revocation list', () => {
  for (const kind of ['P-256', 'P-384', 'RSA-2048'] satisfies KeyKind[]) {
    it(`is verified by openssl, which then refuses the revoked certificate alone, with the key ${kind}`, () => {
      const signer = makeAuthority(kind);
      const issue = (serialNumber: string) =>
        signer.issue(buildLeafTbs(leafInput(signer, keyPair('P-256'), { serialNumber })));
      const [good, revoked] = ['0a3c'.repeat(8), 'fa3c'.repeat(8)].map(issue);
      const input = crlInput(signer, [entry('fa3c'.repeat(8), { reason: 'keyCompromise' })]);
      const tbs = buildCrlTbs(input);
      lintCrl(tbs, input, { ...policy, authority: signer.certificate });
      const file = openssl.write('authority.pem', encodePem('CERTIFICATE', signer.certificate.der));
      const list = openssl.write('list.der', signCrl(signer, tbs));
      const { output } = openssl.attempt('crl', '-verify', '-noout', '-CAfile', file, '-in', list);
      assert.match(output, /verify OK/);
      const check = (der: Uint8Array | undefined) =>
        openssl.attempt(
          ...['verify', '-x509_strict', '-crl_check', '-attime', DURING, '-CAfile', file, '-CRLfile', list],
          openssl.write('leaf.pem', encodePem('CERTIFICATE', der ?? new Uint8Array())),
        );
      assert.match(check(good).output, /: OK/);
      assert.match(check(revoked).output, /certificate revoked/);
      assert.ok(verifyCrl(parseCrl(signCrl(signer, tbs)), signer.certificate.spki));
      assert.ok(!verifyCrl(parseCrl(signCrl(signer, tbs)), keyPair(kind, 'another').spki));
    });
  }

  it('is what the profile says, in the words of openssl', () => {
    const list = signCrl(authority, buildCrlTbs(crlInput(authority, everyReason)));
    const text = openssl.run('crl', '-noout', '-text', '-in', openssl.write('list.der', list));
    const expected = [
      /Version 2 /,
      /Issuer: CN = Everleaf authority 1\n/,
      /Last Update: Jun {2}1 00:00:00 2026 GMT\s+Next Update: Jun {2}4 00:00:00 2026 GMT/,
      /X509v3 Authority Key Identifier: \s+(?:[0-9A-F]{2}:){19}/,
      /X509v3 CRL Number: \s+7\n/,
      /Serial Number: 01\s+Revocation Date: May 20 10:11:12 2026 GMT\s+Serial Number: 7F/,
      /Key Compromise\s+Invalidity Date: \s+May {2}1 00:00:00 2026 GMT/,
      /Serial Number: 80\s+Revocation Date: .*\s+CRL entry extensions:\s+.*\s+Affiliation Changed/,
      /Superseded/,
      /Revocation Date: Jan {2}1 00:00:00 2050 GMT\s+.*\s+.*\s+Cessation Of Operation/,
      /Privilege Withdrawn/,
      /CA Compromise\s+Invalidity Date: \s+Jan {2}1 00:00:00 2050 GMT/,
    ];
    for (const pattern of expected) assert.match(text, pattern);
  });

  it('is read as what was written', () => {
    const input = crlInput(authority, everyReason);
    const tbs = buildCrlTbs(input);
    lintCrl(tbs, input, policy);
    const der = signCrl(authority, tbs);
    const crl = parseCrl(der);
    assert.deepEqual([...crl.entries()], everyReason);
    assert.deepEqual([...crl.entries()], everyReason);
    assert.equal(crl.number, 7n);
    assert.deepEqual([crl.thisUpdate, crl.nextUpdate], [input.thisUpdate, input.nextUpdate]);
    assert.deepEqual(Buffer.from(crl.issuerDer), Buffer.from(input.issuerDer));
    assert.deepEqual(Buffer.from(crl.authorityKeyId), Buffer.from(input.authorityKeyId));
    assert.deepEqual(Buffer.from(crl.tbs), Buffer.from(tbs));
    assert.equal(crl.der, der);
  });

  it('has no list of revoked certificates when there are none', () => {
    const der = signCrl(authority, buildCrlTbs(crlInput(authority, [])));
    assert.deepEqual(numbersOf(parseCrl(der)), []);
    const text = openssl.run('crl', '-noout', '-text', '-in', openssl.write('list.der', der));
    assert.match(text, /No Revoked Certificates/);
  });

  it('cuts the dates of its entries down to the second, and keeps their order', () => {
    const entries = [entry('05', { revokedAt: new Date(REVOKED_AT.getTime() + 999) }), entry('02')];
    const crl = parseCrl(signCrl(authority, buildCrlTbs(crlInput(authority, entries))));
    assert.deepEqual([...crl.entries()], [entry('05'), entry('02')]);
  });

  it('carries numbers of up to 20 octets', () => {
    for (const crlNumber of [0, 1n, 255, Number.MAX_SAFE_INTEGER, 2n ** 159n - 1n]) {
      const tbs = buildCrlTbs({ ...crlInput(authority, []), crlNumber });
      assert.equal(parseCrl(signCrl(authority, tbs)).number, BigInt(crlNumber));
    }
    for (const crlNumber of [-1, -1n, 0.5, Number.NaN, 2n ** 159n]) {
      refusal('Internal', null, () => buildCrlTbs({ ...crlInput(authority, []), crlNumber }));
    }
  });

  it('is not built from what X.509 cannot carry, nor put together with a signature of another length', () => {
    refusal('Internal', null, () => buildCrlTbs(crlInput(authority, [entry('0xFF')])));
    const never = new Date(Number.NaN);
    refusal('Internal', null, () => buildCrlTbs(crlInput(authority, [entry('01', { revokedAt: never })])));
    refusal('Internal', null, () => assembleCrl(sequence(), 'ES256', new Uint8Array(71)));
  });

  it('may have thousands of entries, in whatever form they come', () => {
    const serialOf = (i: number) => `${(0x1000_0000 + i).toString(16)}${'ab'.repeat(12)}`;
    const entries = {
      *[Symbol.iterator]() {
        for (let i = 0; i < 5_000; i++) yield entry(serialOf(i), { reason: 'superseded' });
      },
    };
    const input = { ...crlInput(authority, []), entries };
    const tbs = buildCrlTbs(input);
    lintCrl(tbs, input, policy);
    const crl = parseCrl(signCrl(authority, tbs));
    assert.ok(verifyCrl(crl, authority.certificate.spki));
    const file = openssl.write('authority.pem', encodePem('CERTIFICATE', authority.certificate.der));
    const list = openssl.write('list.der', crl.der);
    assert.match(
      openssl.attempt('crl', '-verify', '-noout', '-CAfile', file, '-in', list).output,
      /verify OK/,
    );
    assert.equal(numbersOf(crl).at(-1), serialOf(4_999));
  });

  it('of openssl is read when it has the same profile', () => {
    openssl.write('index.txt', 'R\t270101000000Z\t260520101112Z,superseded\t0A3C\tunknown\t/CN=KMS\n');
    openssl.write('number', '0102\n');
    const configuration = '[ca]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\ncrl_extensions=x\n';
    openssl.write('ca.cnf', `${configuration}[x]\nauthorityKeyIdentifier=keyid\n`);
    const key = authority.key.privateKey.export({ type: 'pkcs8', format: 'pem' });
    openssl.write('key.pem', key);
    const file = openssl.write('authority.pem', encodePem('CERTIFICATE', authority.certificate.der));
    openssl.run(
      ...['ca', '-config', 'ca.cnf', '-name', 'ca', '-gencrl', '-keyfile', 'key.pem', '-cert', file],
      ...['-crl_lastupdate', '20260601000000Z', '-crl_nextupdate', '20260604000000Z', '-out', 'ca.pem'],
    );
    const pem = openssl.run('crl', '-in', 'ca.pem', '-outform', 'PEM');
    const crl = parseCrl(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'));
    assert.equal(crl.number, 0x102n);
    assert.deepEqual([...crl.entries()], [entry('0a3c', { reason: 'superseded' })]);
    assert.ok(verifyCrl(crl, parseCertificate(authority.certificate.der).spki));
  });
});

/** A list by hand. */
interface CrlParts {
  readonly version?: Octets;
  readonly nextUpdate?: Octets;
  readonly revoked?: Octets;
  readonly extensions?: Octets;
  readonly outer?: Octets;
}
const utcTime = (text: string) => tlv(0x17, Buffer.from(text));
const ECDSA = sequence(oid('1.2.840.10045.4.3.2'));
const extension = (type: string, value: Octets, flag = hex('')) =>
  sequence(oid(type), flag, octetString(value));
const AKI = extension('2.5.29.35', sequence(implicit(0, hex('0102'))));
const NUMBER = extension('2.5.29.20', integer('07'));
const listOf = (...extensions: Octets[]) => context(0, sequence(...extensions));

function byHand(parts: CrlParts = {}): Octets {
  const { version = integer('01'), nextUpdate = utcTime('260604000000Z'), revoked = hex('') } = parts;
  const { extensions = listOf(AKI, NUMBER), outer = ECDSA } = parts;
  const dates = [utcTime('260601000000Z'), nextUpdate];
  const tbs = sequence(version, ECDSA, sequence(), ...dates, revoked, extensions);
  return sequence(tbs, outer, bitString(hex('00')));
}
const refuse = (parts: CrlParts, reason = 'malformed') =>
  refusal('InvalidInput', reason, () => parseCrl(byHand(parts)));

describe('reading a revocation list', () => {
  it('takes the one that the refusals below are changes of', () => {
    assert.equal(parseCrl(byHand()).number, 7n);
  });

  it('refuses other versions, and a list without an end', () => {
    refuse({ version: hex('') }, 'unsupported-version');
    refuse({ version: integer('00') }, 'unsupported-version');
    assert.match(refuse({ nextUpdate: hex('') }), /nextUpdate is no time/);
    assert.match(refuse({ nextUpdate: tlv(0x18, Buffer.from('20260604000000Z')) }), /nextUpdate is no time/);
  });

  it('refuses an empty list of revoked certificates, and members that do not belong there', () => {
    assert.match(refuse({ revoked: sequence() }), /is empty/);
    assert.match(refuse({ revoked: Buffer.concat([sequence(sequence()), nothing()]) }), /has the tag 0x05/);
    const more = Buffer.concat([listOf(AKI, NUMBER), nothing()]);
    assert.match(refuse({ extensions: more }), /more members/);
    assert.match(refuse({ extensions: hex('') }), /has no extensions/);
  });

  it('refuses extensions outside the profile, critical ones above all', () => {
    const delta = extension('2.5.29.27', integer('01'), yes());
    assert.match(refuse({ extensions: listOf(AKI, NUMBER, delta) }), /in this order/);
    assert.match(refuse({ extensions: listOf(NUMBER, AKI) }), /in this order/);
    assert.match(refuse({ extensions: listOf(AKI) }), /in this order/);
    assert.match(refuse({ extensions: listOf() }), /in this order/);
    const critical = extension('2.5.29.20', integer('07'), yes());
    assert.match(refuse({ extensions: listOf(AKI, critical) }), /is critical/);
    const noKey = extension('2.5.29.35', sequence());
    assert.match(refuse({ extensions: listOf(noKey, NUMBER) }), /not a key identifier alone/);
    const withSerial = extension(
      '2.5.29.35',
      sequence(implicit(0, hex('01')), context(1, sequence()), implicit(2, hex('01'))),
    );
    assert.match(refuse({ extensions: listOf(withSerial, NUMBER) }), /not a key identifier alone/);
  });

  it('refuses numbers below zero and of more than 20 octets', () => {
    const numbered = (digits: string) => listOf(AKI, extension('2.5.29.20', integer(digits)));
    refuse({ extensions: numbered('ff') });
    refuse({ extensions: numbered(`00${'ff'.repeat(20)}`) });
    assert.equal(
      parseCrl(byHand({ extensions: numbered('7f'.repeat(20)) })).number,
      BigInt(`0x${'7f'.repeat(20)}`),
    );
  });

  it('refuses two algorithms in one list, weak ones, other bytes behind it, and what is too large', () => {
    assert.match(refuse({ outer: sequence(oid('1.2.840.10045.4.3.3')) }), /inside and another one outside/);
    const trailing = Buffer.concat([byHand(), hex('00')]);
    refusal('InvalidInput', 'trailing-data', () => parseCrl(trailing));
    refusal('InvalidInput', 'too-large', () => parseCrl(new Uint8Array(64 * 1024 * 1024 + 1)));
    refusal('InvalidInput', 'malformed', () => parseCrl(nothing()));
    const weak = { ...parseCrl(byHand()), outerAlgorithmDer: sequence(oid('1.2.840.113549.1.1.5')) };
    refusal('InvalidInput', 'weak-digest', () => verifyCrl(weak, authority.key.spki));
  });

  it('refuses entries outside the profile when they are asked for', () => {
    const date = utcTime('260520101112Z');
    const reason = (value: Octets, flag?: Octets) => extension('2.5.29.21', value, flag);
    const good = reason(tlv(0x0a, hex('01')));
    const invalidity = (value: Octets) => extension('2.5.29.24', value);
    const time = (text: string) => tlv(0x18, Buffer.from(text));
    const broken: [Octets, RegExp][] = [
      [sequence(), /has no serial number/],
      [sequence(integer('00'), date), /not a positive number/],
      [sequence(integer('ff'), date), /not a positive number/],
      [sequence(integer(`00${'ff'.repeat(20)}`), date), /not a positive number/],
      [sequence(octetString(hex('01')), date), /has the tag 0x04, expected 0x02/],
      [sequence(integer('01'), nothing()), /no time/],
      [sequence(integer('01'), date, nothing()), /more members/],
      [sequence(integer('01'), date, sequence()), /are empty/],
      [sequence(integer('01'), date, sequence(good, good)), /does not belong/],
      [sequence(integer('01'), date, sequence(invalidity(time('20260501000000Z')), good)), /does not belong/],
      [sequence(integer('01'), date, sequence(extension('2.5.29.23', nothing()))), /does not belong/],
      [sequence(integer('01'), date, sequence(reason(tlv(0x0a, hex('01')), yes()))), /has the tag 0x01/],
      [sequence(integer('01'), date, sequence(reason(tlv(0x0a, hex('00'))))), /the reason 0a0100/],
      [sequence(integer('01'), date, sequence(reason(tlv(0x0a, hex('06'))))), /the reason 0a0106/],
      [sequence(integer('01'), date, sequence(reason(integer('01')))), /the reason 020101/],
      [sequence(integer('01'), date, sequence(reason(tlv(0x0a, hex('0001'))))), /the reason/],
      [sequence(integer('01'), date, sequence(reason(hex('')))), /the reason ,/],
      [sequence(integer('01'), date, sequence(invalidity(utcTime('260501000000Z')))), /no time/],
      [sequence(integer('01'), date, sequence(invalidity(time('20260501000000.5Z')))), /no time/],
      [sequence(integer('01'), date, sequence(invalidity(hex('')))), /a wrong length/],
      [sequence(integer('01'), date, sequence(invalidity(hex('180f00')))), /a wrong length/],
    ];
    for (const [one, clause] of broken) {
      const crl = parseCrl(byHand({ revoked: sequence(one) }));
      assert.match(
        refusal('InvalidInput', 'malformed', () => [...crl.entries()]),
        clause,
      );
    }
  });
});
