import {
  type ActiveAuthority,
  type Authority,
  type FinishedAuthority,
  isActive,
  isTrusted,
  trustAnchor,
} from '../domain/authority.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import { bundleId, fingerprint } from '../pki/bundle.ts';
import { encodePem } from '../pki/pem.ts';
import type { BundleRecord } from '../ports/fleet-store.ts';
import type { Deps } from './deps.ts';

/** What agents must trust: every authority that a certificate in force may need. */
export interface TrustBundle {
  /** Every trusted self-signed authority, as PEM. */
  readonly pem: string;
  /** Names exactly this set of certificates. */
  readonly id: string;
}

/** The authorities as they stand at one moment: one read tells who signs and what is trusted. */
export interface Authorities {
  readonly all: readonly Authority[];
  /** Null while there is none that signs: before the first start, and while a tainted one is being replaced. */
  readonly active: ActiveAuthority | null;
  readonly bundle: TrustBundle;
}

export async function readAuthorities(deps: Pick<Deps, 'fleet'>): Promise<Authorities> {
  const all = await deps.fleet.authorities();
  return { all, active: all.find(isActive) ?? null, bundle: bundleOf(all) };
}

/**
 * The authority that signs now.
 * @throws EverleafError NotReady before the first start has made one, and while a tainted one is being replaced
 */
export async function readActiveAuthority(deps: Pick<Deps, 'fleet'>): Promise<ActiveAuthority> {
  const { active, all } = await readAuthorities(deps);
  if (active === null) throw noAuthority(all);
  return active;
}

/**
 * The authority that signs now, for whoever is about to have it sign a certificate: its record tells the longest life that
 * it may have given before anything of that life is signed, because it is trusted until the last of them has ended.
 * @throws EverleafError NotReady as `readActiveAuthority`
 */
export async function readIssuingAuthority(deps: Pick<Deps, 'fleet' | 'policy'>): Promise<ActiveAuthority> {
  for (;;) {
    const active = await readActiveAuthority(deps);
    const leafValidityDays = deps.policy.certificateValidityDays;
    if (active.leafValidityDays >= leafValidityDays) return active;
    const stored = await deps.fleet.authority(active.id);
    if (stored === null || !isActive(stored.value)) continue;
    const raised = { ...stored.value, leafValidityDays };
    try {
      await deps.fleet.replaceAuthority(raised, stored.etag);
      return raised;
    } catch (error) {
      if (!isEverleafError(error, 'Conflict')) throw error;
    }
  }
}

/** The trust bundle. @throws EverleafError NotReady before the first start has made an authority */
export async function readTrustBundle(deps: Pick<Deps, 'fleet'>): Promise<TrustBundle> {
  const { all, bundle } = await readAuthorities(deps);
  if (bundle.pem === '') throw noAuthority(all);
  return bundle;
}

function noAuthority(all: readonly Authority[]): EverleafError {
  const isReplaced = all.some(({ state }) => state === 'Tainted' || state === 'Revoked');
  const message = isReplaced
    ? 'The authority is tainted and signs no more; the next one is being made.'
    : 'The first start has not made the authority yet.';
  return new EverleafError('NotReady', message, { retryable: true, retryAfterSeconds: 30 });
}

/** The certificates that are trusted, each once, those of the oldest authority first. */
function anchorsOf(all: readonly Authority[]): readonly Uint8Array[] {
  const trusted = all
    .filter(isTrusted)
    .sort((a, b) => a.issuedAt.getTime() - b.issuedAt.getTime() || a.id.localeCompare(b.id));
  const anchors = new Map(trusted.map((one) => [fingerprint(trustAnchor(one)), trustAnchor(one)]));
  return [...anchors.values()];
}

export function bundleOf(all: readonly Authority[]): TrustBundle {
  const anchors = anchorsOf(all);
  return { pem: anchors.map((der) => encodePem('CERTIFICATE', der)).join(''), id: bundleId(anchors) };
}

/** What is kept of a bundle, so that an agent that names it later is understood. */
export function bundleRecord(all: readonly Authority[], madeAt: Date): BundleRecord {
  const anchors = anchorsOf(all);
  return {
    v: 1,
    id: bundleId(anchors),
    anchors: anchors.map(fingerprint).sort(),
    authorityIds: all
      .filter(isTrusted)
      .map(({ id }) => id)
      .sort(),
    madeAt,
  };
}

/** Whether whoever holds a bundle accepts what an authority signs. */
export function isCoveredBy({ anchors }: BundleRecord, authority: FinishedAuthority): boolean {
  return anchors.includes(fingerprint(trustAnchor(authority)));
}

/**
 * What to send with a certificate so that others accept it: to those below an outside root the authority's own certificate;
 * to those that know only an older authority the cross certificate that this one signed. DER, the issuer's first.
 * @param authorityId the authority that signed the certificate
 */
export function chainOf(all: readonly Authority[], authorityId: string, now: Date): readonly Uint8Array[] {
  const authority = all.find(({ id }) => id === authorityId);
  if (authority === undefined || authority.certificate === null) return [];
  const { certificate, issuers, crossCertificates } = authority;
  if (issuers.length > 0) return [certificate, ...issuers.slice(0, -1)];
  const trusted = new Set(all.filter(isTrusted).map(({ id }) => id));
  return crossCertificates.flatMap(({ issuerId, notAfter, certificate: cross }) =>
    cross !== null && notAfter > now && trusted.has(issuerId) ? [cross] : [],
  );
}
