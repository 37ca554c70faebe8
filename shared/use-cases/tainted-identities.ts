import type { Identity } from '../domain/identity.ts';
import { sumUpLines } from '../domain/lines.ts';
import type { IdentityId } from '../domain/names.ts';
import type { OperationItem } from '../domain/operation.ts';
import { findRule, type RevocationRule } from '../domain/revocation.ts';
import { ruledCertificates } from '../domain/ruled-identity.ts';
import { isAnySigned, type SignedByOne, signedBy } from '../domain/tainted-certificates.ts';
import type { Deps } from './deps.ts';
import { pagesOf } from './pages.ts';
import { inPool } from './pool.ts';

type Reader = Pick<Deps, 'identities' | 'revocationRules' | 'clock'>;

/** An identity, and what of it an authority signed and is still in force. */
export interface Signed {
  readonly identity: Identity;
  readonly left: SignedByOne;
}

/** Every identity with a certificate in force that an authority signed: one walk over the whole record, page by page. */
export async function* identitiesSignedBy(
  deps: Reader,
  authorityId: string,
): AsyncGenerator<readonly Signed[]> {
  const rules = await deps.revocationRules.all();
  for await (const page of pagesOf((position) => deps.identities.identities(position))) {
    const found = await inPool(page, (identity) => readSigned(deps, identity, authorityId, rules));
    yield found.filter(({ left }) => isAnySigned(left));
  }
}

/** Reads what of an identity an authority signed and is still in force. */
export async function readSigned(
  deps: Reader,
  identity: Identity,
  authorityId: string,
  rules: readonly RevocationRule[],
): Promise<Signed> {
  const now = deps.clock.now();
  if (identity.revokedAt !== null || findRule(rules, identity, now) !== null) {
    return { identity, left: { isVaults: false, held: 0 } };
  }
  const [instances, revocations] = await Promise.all([
    deps.identities.instances(identity),
    deps.identities.revocations(identity),
  ]);
  const dead = [...revocations, ...ruledCertificates(identity, instances, rules)];
  return {
    identity,
    left: signedBy(identity, sumUpLines(identity, instances, dead, now).own, authorityId, now),
  };
}

/** Who an item of the whole fleet's operation is about. */
export function itemIdentity({ cluster = '', name }: OperationItem): IdentityId {
  return { cluster, name };
}

/** The items of a taint's operation, one for each identity, in the order in which they are asked. */
export async function taintItems(deps: Reader, authorityId: string): Promise<readonly OperationItem[]> {
  const items: OperationItem[] = [];
  for await (const found of identitiesSignedBy(deps, authorityId)) {
    items.push(
      ...found.map(({ identity: { cluster, name, incarnation, certificate }, left }) => ({
        cluster,
        name,
        credential: 'certificate' as const,
        incarnation,
        generation: certificate.generation,
        task: left.isVaults ? ('renew' as const) : ('request' as const),
        reason: null,
      })),
    );
  }
  return items.sort(byName);
}

function byName(a: OperationItem, b: OperationItem): number {
  const [first, second] = [itemIdentity(a), itemIdentity(b)];
  return first.cluster.localeCompare(second.cluster) || first.name.localeCompare(second.name);
}
