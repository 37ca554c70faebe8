import { FLEET, FLEET_CHAIN } from '../domain/audit.ts';
import type { Authority } from '../domain/authority.ts';
import { isSameBytes } from '../domain/encoding.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import { addMs, DAY_MS, wholeSecond } from '../domain/instants.ts';
import { FLEET_SCOPE } from '../domain/scope.ts';
import { fingerprint } from '../pki/bundle.ts';
import { parseCertificateRequestDer } from '../pki/certificate-request.ts';
import { checkOutsideAuthority, type OutsideCertificate } from '../pki/outside-authority.ts';
import { spkiHash } from '../pki/public-key.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { assertWaits, ensureOutsideRequest } from './outside-request.ts';
import { brief } from './patience.ts';
import { prepareCrossSigned } from './prepare-successor.ts';
import { isSigned, type SignedAuthority } from './update-authority.ts';

/** An authority that lives less than this many lives of a client's certificate would be followed by another at once. */
const LEAST_LIVES = 2;

/**
 * Takes the certificate that an outside root has signed for an authority's request: checks it and the path above it,
 * writes both down together with the dates that the signer gave it, and finishes the authority. The root is then what
 * everybody trusts for the authority's sake.
 *
 * Safe to interrupt and to repeat: once it is written down, the same certificate is taken again and every timer goes on
 * with it, and another one is refused.
 * @throws EverleafError InvalidInput, as `checkOutsideAuthority`; NotFound when the authority waits for none;
 *   AlreadyExists when it has another one; AccessDenied without `admin/issue` for the whole fleet, because whoever brings
 *   a root of his own can make certificates for everybody
 */
export async function takeOutsideCertificate(
  deps: Deps,
  run: Run,
  id: string,
  given: OutsideCertificate,
): Promise<SignedAuthority> {
  await run.rights?.demand('admin/issue', FLEET_SCOPE);
  const recorded = await recordCertificate(deps, run, id, given);
  if (recorded.state !== 'Creating') return recorded;
  return (await prepareCrossSigned(deps, run, id)) ?? recorded;
}

async function recordCertificate(
  deps: Deps,
  run: Run,
  id: string,
  given: OutsideCertificate,
): Promise<SignedAuthority> {
  const patience = brief();
  for (;;) {
    const stored = await deps.fleet.authority(id);
    if (stored === null) throw new EverleafError('NotFound', `There is no authority ${id}.`);
    if (isSigned(stored.value)) return assertSame(stored.value, given);
    const value = await accept(deps, run, stored.value, given);
    // Before the row: after a kill in between it may stand there twice, and is never missing.
    await deps.identities.commit(FLEET_CHAIN, [
      eventChange(deps, run, 'authority-certificate-taken', FLEET, {
        authorityId: id,
        serialNumber: value.serialNumber,
        details: { sha256: fingerprint(value.certificate), rootSha256: fingerprint(rootOf(given)) },
      }),
    ]);
    try {
      await deps.fleet.replaceAuthority(value, stored.etag);
      return value;
    } catch (error) {
      if (!isEverleafError(error, 'Conflict') || !(await patience())) throw error;
    }
  }
}

/** The authority with its certificate, after every check. */
async function accept(
  deps: Deps,
  run: Run,
  authority: Authority,
  given: OutsideCertificate,
): Promise<SignedAuthority> {
  assertWaits(deps, authority);
  // What the vault waits for, and nothing else, can be merged.
  const { csr } = await ensureOutsideRequest(deps, run, authority);
  const hash = spkiHash(parseCertificateRequestDer(csr).spki);
  const now = wholeSecond(deps.clock.now());
  const { serialNumber, notBefore, notAfter } = checkOutsideAuthority(given, {
    spkiHash: hash,
    commonName: authority.commonName,
    now,
    neededUntil: addMs(now, LEAST_LIVES * deps.policy.certificateValidityDays * DAY_MS),
    trustDomain: deps.site.trustDomain,
    roots: deps.policy.authorityRoots,
  });
  const { certificate, issuers } = given;
  return {
    ...authority,
    serialNumber,
    issuedAt: now,
    notBefore,
    notAfter,
    spkiHash: hash,
    certificate,
    issuers,
  };
}

function assertSame(
  authority: SignedAuthority,
  { certificate, issuers }: OutsideCertificate,
): SignedAuthority {
  const has = [authority.certificate, ...authority.issuers];
  const given = [certificate, ...issuers];
  const isSame = has.length === given.length && has.every((der, i) => isSameBytes(der, given[i] ?? der));
  if (isSame) return authority;
  throw new EverleafError(
    'AlreadyExists',
    `Authority ${authority.id} is ${authority.state} and has its certificate already, which is another one.`,
  );
}

function rootOf({ certificate, issuers }: OutsideCertificate): Uint8Array {
  return issuers.at(-1) ?? certificate;
}
