import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCertificate } from '../../../shared/pki/certificate.ts';
import { buildCrlTbs, type CrlInput } from '../../../shared/pki/crl.ts';
import { encodeName } from '../../../shared/pki/distinguished-name.ts';
import { buildLeafTbs } from '../../../shared/pki/leaf-certificate.ts';
import { type CrlPolicy, lintCrl } from '../../../shared/pki/lint-crl.ts';
import { leafInput, makeAuthority } from './support/authority.ts';
import { crlInput, entry } from './support/crls.ts';
import { findingsOf, onlyFinding } from './support/findings.ts';
import { keyPair } from './support/keys.ts';

const authority = makeAuthority();
const entries = [entry('02'), entry('80', { reason: 'keyCompromise' }), entry('0100')];
const input = crlInput(authority, entries);

function lint(built: Partial<CrlInput>, asked: Partial<CrlInput> = built, changes: Partial<CrlPolicy> = {}) {
  const policy = { authority: authority.certificate, maximumValiditySeconds: 72 * 3600, ...changes };
  return findingsOf(() => lintCrl(buildCrlTbs({ ...input, ...built }), { ...input, ...asked }, policy));
}

describe('the lint of a revocation list', () => {
  it('finds nothing in what the builder makes', () => {
    assert.deepEqual(lint({}), []);
    assert.deepEqual(lint({ entries: [] }), []);
    const fractions = [entry('01', { revokedAt: new Date(1_780_000_000_999), invalidityDate: new Date(1) })];
    assert.deepEqual(lint({ entries: fractions }), []);
  });

  it('finds bytes that are no list', () => {
    const policy = { authority: authority.certificate, maximumValiditySeconds: 1 };
    onlyFinding(
      findingsOf(() => lintCrl(new Uint8Array(), input, policy)),
      /the DER ends/,
    );
  });

  it('finds dates and numbers that were not asked for, and too long a validity', () => {
    const { thisUpdate, nextUpdate } = input;
    const next = new Date(nextUpdate.getTime() + 1000);
    onlyFinding(lint({ nextUpdate: next }), /valid for 259201 s, expected at most 259200 s/);
    onlyFinding(lint({}, { nextUpdate: next }), /nextUpdate is not the one asked for/);
    onlyFinding(lint({}, { thisUpdate: nextUpdate }), /thisUpdate is not the one asked for/);
    onlyFinding(lint({ nextUpdate: thisUpdate }), /does not lie after/);
    onlyFinding(lint({}, { crlNumber: 8n }), /number is 7, expected 8/);
  });

  it('finds entries that are missing, added, changed, doubled or out of order', () => {
    const [first = entry('02'), ...rest] = entries;
    onlyFinding(lint({ entries: rest }, {}), /the entries: 80 is not what was asked for 02/);
    onlyFinding(lint({ entries: [first] }, {}), /the entries: 80 is missing/);
    onlyFinding(lint({ entries: [] }, {}), /the entries: 02 is missing/);
    onlyFinding(lint({}, { entries: [first] }), /more than were asked for/);
    onlyFinding(lint({ entries: [first, ...entries] }), /02 stands after 02/);
    onlyFinding(lint({ entries: [...rest, first] }), /02 stands after 0100/);
    const changes = [
      { reason: 'superseded' },
      { revokedAt: new Date(0) },
      { invalidityDate: new Date(0) },
    ] as const;
    for (const change of changes) {
      onlyFinding(
        lint({ entries: [first] }, { entries: [{ ...first, ...change }] }),
        /02 is not what was asked for 02/,
      );
    }
  });

  it('finds an entry that cannot be read', () => {
    onlyFinding(lint({ entries: [entry('00')] }), /the entries: .*not a positive number/);
  });

  it('finds an authority whose list it is not', () => {
    onlyFinding(lint({ issuerDer: encodeName({ commonName: 'another' }) }), /issuer is not the authority/);
    onlyFinding(lint({ authorityKeyId: new Uint8Array(20) }), /authorityKeyIdentifier is not/);
    onlyFinding(lint({}, { signatureAlgorithm: 'ES384' }), /algorithm is not ES384/);
    onlyFinding(lint({ signatureAlgorithm: 'RS256' }), /RS256 does not fit/);
  });

  it('finds a signer that may not sign lists', () => {
    const leaf = parseCertificate(authority.issue(buildLeafTbs(leafInput(authority, keyPair('P-256')))));
    const { subjectDer, subjectKeyId } = authority.certificate;
    const named = { ...leaf, subjectDer, subjectKeyId };
    onlyFinding(lint({}, {}, { authority: named }), /may not sign revocation lists/);
    onlyFinding(lint({}, {}, { authority: { ...named, extensions: new Map() } }), /may not sign/);
  });
});
