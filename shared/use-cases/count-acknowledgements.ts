import { type Authority, type FinishedAuthority, isFinished } from '../domain/authority.ts';
import { type AckTally, type AuthorityCensus, NOBODY, tally } from '../domain/authority-census.ts';
import type { CertificateHead, Identity } from '../domain/identity.ts';
import { later, wholeSecond } from '../domain/instants.ts';
import { latestOf, sumUpLines } from '../domain/lines.ts';
import type { RevocationRule } from '../domain/revocation.ts';
import { identityUnderRules, isRuledOut, ruledCertificates } from '../domain/ruled-identity.ts';
import type { BundleRecord } from '../ports/fleet-store.ts';
import { isCoveredBy } from './authorities.ts';
import type { Deps } from './deps.ts';
import { pagesOf } from './pages.ts';
import { inPool } from './pool.ts';

/** What one identity is counted with: its certificates in force, and the bundles that those who hold them know. */
interface Counted {
  readonly identity: Identity;
  readonly heads: readonly CertificateHead[];
  /** One for each that holds a certificate; null for one that never told. */
  readonly bundleIds: readonly (string | null)[];
}

/**
 * Counts the fleet once for every authority that may still be needed: who has acknowledged a bundle that covers it, and
 * which certificates that it signed are in force. Reads every identity and its lines, page by page, and keeps what it
 * counted, so that whoever only shows it needs no walk. An authority that has ended keeps its last count.
 *
 * An identity has acknowledged when all have that hold a certificate of it: the client that reads the vault, and every
 * instance that logged in. One without a certificate in force counts for nothing: its next login brings the bundle.
 * @returns the counts by authority
 */
export async function countAcknowledgements(
  deps: Pick<Deps, 'fleet' | 'identities' | 'revocationRules' | 'clock'>,
): Promise<readonly AuthorityCensus[]> {
  const asOf = wholeSecond(deps.clock.now());
  const [all, bundles, rules] = await Promise.all([
    deps.fleet.authorities(),
    deps.fleet.bundles(),
    deps.revocationRules.all(),
  ]);
  const counts = all
    .filter(isFinished)
    .filter(isCounted)
    .map((authority) => new Count(authority, bundles));
  for await (const page of pagesOf((position) => deps.identities.identities(position))) {
    const live = page.filter(({ revokedAt, deletedAt }) => revokedAt === null && deletedAt === null);
    for (const one of await inPool(live, (identity) => readCounted(deps, identity, rules, asOf))) {
      for (const count of counts) count.add(one);
    }
  }
  const censuses = counts.map((count) => count.census(asOf));
  for (const census of censuses) await deps.fleet.putCensus(census);
  return censuses;
}

function isCounted({ state }: Authority): boolean {
  return state !== 'Retired' && state !== 'Revoked';
}

async function readCounted(
  deps: Pick<Deps, 'identities'>,
  identity: Identity,
  rules: readonly RevocationRule[],
  now: Date,
): Promise<Counted> {
  const [instances, revocations] = await Promise.all([
    deps.identities.instances(identity),
    deps.identities.revocations(identity),
  ]);
  const ruled = identityUnderRules(identity, rules, now);
  if (ruled.revokedAt !== null) return { identity, heads: [], bundleIds: [] };
  const dead = [...revocations, ...ruledCertificates(identity, instances, rules)];
  const lines = sumUpLines(identity, instances, dead, now).own.filter(
    (line) => line.lockedAt === null && latestOf(line).notAfter >= now,
  );
  const heads = lines.flatMap(({ head, successor }) => (successor === null ? [head] : [head, successor]));
  const bundleIds = lines.map(({ bundleId }) => bundleId);
  const own = identity.delivery === 'vault' ? ruled.certificate.head : null;
  const isOwnDead =
    isRuledOut(identity, 'certificate', rules) ||
    revocations.some(({ serialNumber }) => serialNumber === own?.serialNumber);
  if (own !== null && own.notAfter >= now && !isOwnDead) {
    heads.push(own);
    bundleIds.push(identity.acknowledgedBundleId);
  }
  return { identity, heads: heads.filter(({ notAfter }) => notAfter >= now), bundleIds };
}

/** The count of one authority while the walk goes on. */
class Count {
  readonly #authority: FinishedAuthority;
  /** Ids of the bundles by which their holders accept what it signs. */
  readonly #covering: ReadonlySet<string>;
  #verifiers: AckTally = NOBODY;
  #agents: AckTally = NOBODY;
  #live = 0;
  #latestNotAfter: Date | null = null;

  constructor(authority: FinishedAuthority, bundles: readonly BundleRecord[]) {
    this.#authority = authority;
    this.#covering = new Set(bundles.filter((one) => isCoveredBy(one, authority)).map(({ id }) => id));
  }

  add({ identity, heads, bundleIds }: Counted): void {
    for (const { authorityId, notAfter } of heads) {
      if (authorityId !== this.#authority.id) continue;
      this.#live += 1;
      this.#latestNotAfter = this.#latestNotAfter === null ? notAfter : later(this.#latestNotAfter, notAfter);
    }
    if (bundleIds.length === 0) return;
    const { cluster, name, lastSeenAt } = identity;
    const isAcknowledged = bundleIds.every((id) => id !== null && this.#covering.has(id));
    if (identity.clientType === 'Host') {
      this.#verifiers = tally(this.#verifiers, { cluster, name, lastSeenAt }, isAcknowledged);
    } else {
      this.#agents = tally(this.#agents, { cluster, name, lastSeenAt }, isAcknowledged);
    }
  }

  census(asOf: Date): AuthorityCensus {
    return {
      v: 1,
      authorityId: this.#authority.id,
      asOf,
      leaves: { live: this.#live, latestNotAfter: this.#latestNotAfter },
      verifiers: this.#verifiers,
      agents: this.#agents,
    };
  }
}
