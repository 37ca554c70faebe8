import { isPrivileged } from '../domain/built-in-roles.ts';
import type { Cluster } from '../domain/cluster.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import type { ClientTemplate, Identity, IdentityWishes } from '../domain/identity.ts';
import { DAY_MS, SECOND_MS, wholeSecond } from '../domain/instants.ts';
import { checkIdentityId, type IdentityId, identityText, MANAGEMENT_CLUSTER } from '../domain/names.ts';
import type { Secret } from '../domain/secret.ts';
import type { Change } from '../ports/identity-store.ts';
import { passGate } from './cluster-gates.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { assertMayIssueFor, assertMayName } from './may-issue.ts';
import { mintToken, tokenFacts } from './tokens.ts';
import { moveDue } from './update-identity.ts';

/** Tries to make an identity while others are made through the same gate of its cluster. */
const TRIES = 20;

/**
 * Makes an identity with its first token, in one transaction. For vault delivery certificate and token are due at
 * once, so that a scan finishes what a crash leaves; an agent is reminded of its token when that should be rotated.
 * @returns the identity: the new one, or the one that was there
 */
export async function createIdentity(
  deps: Deps,
  run: Run,
  rotationKey: Secret<Uint8Array>,
  cluster: string,
  template: ClientTemplate,
): Promise<Identity> {
  return (await insertIdentity(deps, run, rotationKey, cluster, template)).identity;
}

/** The cluster that an identity is made with: it comes into that epoch of it, or not at all. */
export type ClusterOrigin = Pick<Cluster, 'epoch' | 'creationId'>;

/**
 * As `createIdentity`, and says whether it is new.
 * @param origin null for an identity that is made by itself
 * @throws EverleafError InUse when its cluster is being deleted, or was
 */
export async function insertIdentity(
  deps: Deps,
  run: Run,
  rotationKey: Secret<Uint8Array>,
  cluster: string,
  template: ClientTemplate,
  wishes: IdentityWishes = {},
  origin: ClusterOrigin | null = null,
): Promise<{ identity: Identity; isNew: boolean }> {
  const id: IdentityId = { cluster, name: template.name };
  checkIdentityId(id);
  checkVaultName(id, template);
  await assertMayCreate(deps, run, id, template, wishes);
  for (let attempt = 1; ; attempt++) {
    const existing = await deps.identities.identity(id);
    if (existing !== null) return { identity: existing.value, isNew: false };
    const gate = await passGate(deps, id, origin?.epoch ?? null);
    const { identity, changes } = newIdentity(deps, run, rotationKey, id, template, wishes, origin, null);
    try {
      await deps.identities.commit(cluster, [
        { op: 'insert', kind: 'identity', value: identity },
        ...changes,
        ...gate,
      ]);
    } catch (error) {
      // Somebody made it first, or another one through the same gate.
      if (!isEverleafError(error, 'Conflict') || attempt === TRIES) throw error;
      continue;
    }
    run.log.write(
      'info',
      `Created identity ${identityText(id)} (${template.clientType}, ${template.delivery} delivery).`,
    );
    return { identity, isNew: true };
  }
}

/**
 * Whether the caller may make such an identity: nobody has assigned anything to it yet.
 * @throws EverleafError AccessDenied
 */
export async function assertMayCreate(
  deps: Pick<Deps, 'access'>,
  run: Run,
  id: IdentityId,
  { clientType }: ClientTemplate,
  { dnsNames = [] }: IdentityWishes,
): Promise<void> {
  if (isPrivileged(clientType)) await assertMayIssueFor(deps, run, { ...id, clientType, incarnation: 1 });
  await assertMayName(run, id, dnsNames, []);
}

/** @throws EverleafError InvalidInput for a dot in a name that becomes part of a vault name, which knows none */
function checkVaultName(id: IdentityId, { delivery }: ClientTemplate): void {
  if (delivery !== 'vault' || !id.name.includes('.')) return;
  throw new EverleafError('InvalidInput', `"${id.name}" has a dot, and names in a vault have none.`);
}

/** Whether it is to serve TLS under the name that login files give the cloud agent's clients. */
function isCloudAgent({ cluster }: IdentityId, { clientType }: ClientTemplate): boolean {
  return clientType === 'Host' && cluster === MANAGEMENT_CLUSTER;
}

/**
 * The record of an identity that is about to be, with its first token and the rows that go with it.
 * @param earlier the deleted identity of this name, whose credentials must never work again: what is counted goes on
 *   counting, and every token of it lies below the floor
 */
export function newIdentity(
  deps: Deps,
  run: Run,
  rotationKey: Secret<Uint8Array>,
  id: IdentityId,
  template: ClientTemplate,
  wishes: IdentityWishes,
  origin: ClusterOrigin | null,
  earlier: Identity | null,
): { identity: Identity; changes: Change[] } {
  const createdAt = wholeSecond(deps.clock.now());
  const tokenExpiryInSeconds =
    wishes.tokenExpiryInSeconds ?? (deps.policy.tokenValidityDays * DAY_MS) / SECOND_MS;
  const tokenMaxUses = wishes.tokenMaxUses ?? null;
  const generation = earlier === null ? 0 : earlier.token.generation + 1;
  const token = mintToken(deps, rotationKey, id, generation, { tokenExpiryInSeconds, tokenMaxUses });
  const incarnation = earlier === null ? 1 : earlier.incarnation + 1;
  const undone = { dueKey: null, queuedAt: null, lastSuccessAt: null, failure: null, forcedAt: null };
  const bare: Identity = {
    v: 1,
    ...id,
    clientType: template.clientType,
    delivery: template.delivery,
    credentials: template.credentials,
    autoRotate: wishes.autoRotate ?? template.delivery === 'vault',
    tokenExpiryInSeconds,
    tokenMaxUses,
    dnsNames: wishes.dnsNames ?? (isCloudAgent(id, template) ? [deps.site.cloudFqdn] : []),
    createdAt,
    revokedAt: null,
    revocationReason: null,
    deletedAt: null,
    incarnation,
    creationId: origin?.creationId ?? null,
    lastSeenAt: null,
    acknowledgedBundleId: null,
    lockedInstances: 0,
    issuances: null,
    certificate: {
      ...undone,
      // A message of the earlier incarnation that is still on the queue must find nothing to do.
      generation: earlier === null ? 0 : earlier.certificate.generation + 1,
      attempt: null,
      head: null,
    },
    token: {
      ...undone,
      ...tokenFacts(token),
      usedGeneration: earlier?.token.usedGeneration ?? -1,
      floorGeneration: generation,
      handoverGeneration: -1,
      vaultVersion: null,
      predecessorExpiresAt: null,
    },
  };
  const isVaults = template.delivery === 'vault';
  const certificateDue = moveDue(bare, 'certificate', isVaults ? createdAt : null);
  const tokenDue = moveDue(certificateDue.identity, 'token', isVaults ? createdAt : bare.token.rotateAfter);
  return {
    identity: tokenDue.identity,
    changes: [
      { op: 'insert', kind: 'token', value: token },
      ...certificateDue.changes,
      ...tokenDue.changes,
      eventChange(deps, run, 'identity-created', id, {
        details: { clientType: template.clientType, delivery: template.delivery, incarnation },
      }),
    ],
  };
}
