import type { FinishedAuthority } from '../domain/authority.ts';
import type { Delivery, Identity } from '../domain/identity.ts';
import type { IdentityId } from '../domain/names.ts';
import { isCoveredBy } from './authorities.ts';
import { readCounted } from './count-acknowledgements.ts';
import type { Deps } from './deps.ts';
import { pagesOf } from './pages.ts';
import { inPool } from './pool.ts';
import { identitiesSignedBy } from './tainted-identities.ts';

/** One that a step of an authority's life changes something for. */
export interface AffectedIdentity extends IdentityId {
  readonly clientType: Identity['clientType'];
  readonly delivery: Delivery;
  readonly lastSeenAt: Date | null;
}

/** Everybody whom a certificate in force was signed for by an authority. One walk over the fleet. */
export async function signedIdentities(
  deps: Deps,
  authorityId: string,
): Promise<readonly AffectedIdentity[]> {
  const found: Identity[] = [];
  for await (const page of identitiesSignedBy(deps, authorityId)) {
    found.push(...page.map(({ identity }) => identity));
  }
  return inOrder(found);
}

/**
 * Everybody who holds a certificate and has not acknowledged a bundle with an authority in it, so that a server or a peer
 * with a certificate of that authority may be refused. One walk over the fleet.
 */
export async function unacknowledgedIdentities(
  deps: Deps,
  authority: FinishedAuthority,
): Promise<readonly AffectedIdentity[]> {
  const [rules, bundles] = await Promise.all([deps.revocationRules.all(), deps.fleet.bundles()]);
  const covering = new Set(bundles.filter((one) => isCoveredBy(one, authority)).map(({ id }) => id));
  const now = deps.clock.now();
  const found: Identity[] = [];
  for await (const page of pagesOf((position) => deps.identities.identities(position))) {
    const live = page.filter(({ revokedAt, deletedAt }) => revokedAt === null && deletedAt === null);
    const counted = await inPool(live, (identity) => readCounted(deps, identity, rules, now));
    const missing = counted.filter(({ bundleIds }) =>
      bundleIds.some((id) => id === null || !covering.has(id)),
    );
    found.push(...missing.map(({ identity }) => identity));
  }
  return inOrder(found);
}

function inOrder(found: readonly Identity[]): readonly AffectedIdentity[] {
  return found
    .map(({ cluster, name, clientType, delivery, lastSeenAt }) => ({
      cluster,
      name,
      clientType,
      delivery,
      lastSeenAt,
    }))
    .sort((a, b) => a.cluster.localeCompare(b.cluster) || a.name.localeCompare(b.name));
}
