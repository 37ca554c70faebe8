import { sign } from 'node:crypto';
import { VaultCertificates } from '../../shared/adapters/key-vault/vault-certificates.ts';
import { VaultSigner } from '../../shared/adapters/key-vault/vault-signer.ts';
import { parseCertificate, verifySignedBy } from '../../shared/pki/certificate.ts';
import {
  type CertificateRequest,
  checkCertificateRequest,
  parseCertificateRequest,
} from '../../shared/pki/certificate-request.ts';
import { buildLeafTbs, type LeafInput } from '../../shared/pki/leaf-certificate.ts';
import { lintLeaf } from '../../shared/pki/lint-leaf.ts';
import { readPublicKey } from '../../shared/pki/public-key.ts';
import { assembleCertificate } from '../../shared/pki/signature.ts';
import { findRsaWeakness } from '../../shared/pki/weak-rsa.ts';
import { AUTHORITY_SPEC } from '../contract/ports/suites/vault-subject.ts';
import { startVault } from '../contract/vault-stand-in/harness.ts';
import { KMS, requestOf } from '../support/agent.ts';
import { leafInput, makeAuthority, type TestAuthority, vaultSign } from '../unit/pki/support/authority.ts';
import { keyPair } from '../unit/pki/support/keys.ts';
import { cpuCosts, type Report, rate } from './measure.ts';

const PART = 'issue';
/** More than the product keeps keys for, so that every request's key is new to it, as it is in service. */
const CLIENTS = { 'RSA-2048': 72, 'P-256': 200 } as const;
const MAXIMUM_VALIDITY_SECONDS = 91 * 86_400;
/** The aim for RSA 2048: issuing runs at this much of the rate of bare signatures. */
const AIM = 0.7;

type Kind = keyof typeof CLIENTS;

/** Certificates a second against bare signatures by the same key, on the processor alone and through the vault. */
export async function benchIssuing(report: Report, seconds: number): Promise<void> {
  for (const kind of Object.keys(CLIENTS) as Kind[]) {
    const authority = makeAuthority(kind);
    const clients = Array.from({ length: CLIENTS[kind] }, (_, i) => ({
      pem: requestOf(KMS, `client ${i}`, kind),
      leaf: leafInput(authority, keyPair(kind, `client ${i}`)),
    }));
    benchProcessor(report, kind, authority, clients, seconds);
    await benchVault(report, kind, authority, clients, seconds);
  }
}

interface Client {
  readonly pem: string;
  readonly leaf: LeafInput;
}

/** What a login does between its storage calls: the request is read and believed, the certificate made and checked. */
function prepare({ pem, leaf }: Client, authority: TestAuthority): Uint8Array {
  checkCertificateRequest(parseCertificateRequest(pem), { identityName: 'KMS' });
  const tbs = buildLeafTbs(leaf);
  lint(tbs, leaf, authority);
  return tbs;
}

function judge(spki: Uint8Array): void {
  const key = readPublicKey(spki);
  if (key.type === 'RSA' && findRsaWeakness(key.modulus) !== null) throw new Error('The key is weak.');
}

function lint(tbs: Uint8Array, leaf: LeafInput, { certificate }: TestAuthority): void {
  lintLeaf(tbs, leaf, { authority: certificate, maximumValiditySeconds: MAXIMUM_VALIDITY_SECONDS });
}

function finish(authority: TestAuthority, tbs: Uint8Array, signature: Uint8Array): void {
  const der = assembleCertificate(tbs, authority.signatureAlgorithm, signature);
  if (!verifySignedBy(parseCertificate(der), authority.certificate.spki))
    throw new Error('It does not verify.');
}

function benchProcessor(
  report: Report,
  kind: Kind,
  authority: TestAuthority,
  clients: readonly Client[],
  seconds: number,
): void {
  let turn = 0;
  const next = (): Client => clients[turn++ % clients.length] as Client;
  const one = next();
  const tbs = buildLeafTbs(one.leaf);
  const request: CertificateRequest = parseCertificateRequest(one.pem);
  const der = authority.issue(tbs);
  const works: Readonly<Record<string, () => void>> = {
    'bare signature': () => void sign('sha256', tbs, authority.key.privateKey),
    'issue: all of the below': () => {
      const ready = prepare(next(), authority);
      finish(authority, ready, vaultSign(authority.key, authority.signatureAlgorithm, ready));
    },
    'parse request': () => void parseCertificateRequest(next().pem),
    'search a new key for weakness': () => judge(next().leaf.spki),
    'check request, key known': () => checkCertificateRequest(request, { identityName: 'KMS' }),
    build: () => void buildLeafTbs(next().leaf),
    'lint, key known': () => lint(tbs, one.leaf, authority),
    'sign, assemble, parse, verify': () =>
      finish(authority, tbs, vaultSign(authority.key, authority.signatureAlgorithm, tbs)),
    'parse certificate': () => void parseCertificate(der),
  };
  const costs = cpuCosts(Object.values(works), seconds);
  const [bare = Number.NaN, whole = Number.NaN] = costs;
  for (const [i, name] of Object.keys(works).entries()) {
    const cost = costs[i] ?? Number.NaN;
    const note = i === 0 ? 'CPU time' : `${Math.round(cost)} µs of CPU; the ratio is to bare signatures`;
    report.add({
      part: PART,
      what: `${kind}: ${name}`,
      figure: 1e6 / cost,
      unit: '/s',
      ratio: bare / cost,
      note,
    });
  }
  const ratio = bare / whole;
  if (kind === 'RSA-2048' && ratio < AIM) {
    report.remark(
      `Issuing RSA 2048 runs at ${ratio.toFixed(2)} of bare signing (aim ${AIM}): beside the signature stand ` +
        `${Math.round(whole - bare)} µs, which are the two signatures that are verified, the search for weak keys, ` +
        'and the reading and writing of DER, twice over because the lint reads back what was built.',
    );
  }
}

async function benchVault(
  report: Report,
  kind: Kind,
  authority: TestAuthority,
  clients: readonly Client[],
  seconds: number,
): Promise<void> {
  const ends: (() => Promise<void>)[] = [];
  try {
    const { clients: vault } = await startVault({
      after: (end: () => Promise<void>) => void ends.unshift(end),
    });
    const credential = {
      getToken: async () => ({ token: 'tester', expiresOnTimestamp: Date.now() + 86_400_000 }),
    };
    const keyId = await makeKey(new VaultCertificates(vault.url, credential), kind);
    const signer = new VaultSigner(credential);
    const algorithm = authority.signatureAlgorithm;
    const issue = async (n: number) => {
      const tbs = prepare(clients[n % clients.length] as Client, authority);
      await signer.sign(keyId, algorithm, tbs);
      // The vault's key is another one than the authority's here: the same work is done on the authority's signature.
      finish(authority, tbs, vaultSign(authority.key, algorithm, tbs));
    };
    const data = new Uint8Array(1000);
    await rate(issue, 1, { seconds: 1, times: 50 });
    const limit = { seconds, times: Number.POSITIVE_INFINITY };
    const bare = await rate(async () => void (await signer.sign(keyId, algorithm, data)), 8, limit);
    const whole = await rate(issue, 8, limit);
    const note = '8 at once, the stand-in in the same process';
    report.add({
      ...{ part: PART, what: `${kind}: bare signature by the vault`, figure: bare.perSecond },
      ...{ unit: '/s', ratio: 1, note },
    });
    report.add({
      ...{ part: PART, what: `${kind}: issue through the vault`, figure: whole.perSecond },
      ...{
        unit: '/s',
        ratio: whole.perSecond / bare.perSecond,
        note: `${note}; the ratio is to the line above`,
      },
    });
  } finally {
    for (const end of ends) await end();
  }
}

/** A key of an authority in the vault, as the first start makes it. */
async function makeKey(vault: VaultCertificates, kind: Kind): Promise<string> {
  const spec = AUTHORITY_SPEC(kind === 'P-256' ? 'EC-P256' : 'RSA-2048');
  await vault.createSelfSigned('bench', spec);
  for (;;) {
    const found = await vault.current('bench');
    if (found !== null) return found.keyId;
    await vault.pending('bench');
  }
}
