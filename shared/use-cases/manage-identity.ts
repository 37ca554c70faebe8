import { checkRoom } from '../domain/cluster.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import type { ClientTemplate, Identity, IdentityWishes } from '../domain/identity.ts';
import { checkWishes } from '../domain/identity-wishes.ts';
import { later } from '../domain/instants.ts';
import { type IdentityId, identityText } from '../domain/names.ts';
import { planCredential } from '../domain/renewal-plan.ts';
import { announceLists, noteForIdentity } from './announce-lists.ts';
import { identitiesOf, readCluster, readLiveCluster } from './clusters.ts';
import type { Deps, Run } from './deps.ts';
import { ensureSuccessor, type SuccessorWishes } from './ensure-successor.ts';
import { eventChange } from './events.ts';
import type { IfMatch } from './if-match.ts';
import { assertLive, assertUnchanged } from './live-identity.ts';
import { type LoginFile, loginFileWith, readLoginFile } from './make-login-file.ts';
import { assertMayIssueFor, assertMayName } from './may-issue.ts';
import { createOrRecreateIdentity } from './recreate-identity.ts';
import { readRotationKey } from './tokens.ts';
import { moveDue, updateIdentity } from './update-identity.ts';

export interface IdentityPage {
  readonly items: readonly Identity[];
  /** Name that the next page begins after; null at the end. */
  readonly nextCursor: string | null;
}

/**
 * The identities of a cluster in the order of their names without case, page by page.
 * @param after the last name of the page before; null for the first page
 * @throws EverleafError NotFound when there is no such cluster
 */
export async function listIdentities(
  deps: Pick<Deps, 'identities' | 'fleet'>,
  cluster: string,
  { after, limit }: { readonly after: string | null; readonly limit: number },
): Promise<IdentityPage> {
  await readCluster(deps, cluster);
  const found = (await identitiesOf(deps, cluster)).filter((identity) => isListed(identity, after));
  const items = found.slice(0, limit);
  return { items, nextCursor: found.length > limit ? (items.at(-1)?.name ?? null) : null };
}

function isListed({ name, deletedAt }: Identity, after: string | null): boolean {
  return deletedAt === null && (after === null || name.toLowerCase() > after.toLowerCase());
}

export interface AddedIdentity {
  readonly identity: Identity;
  /** For an agent; a client of the vault finds its token there. */
  readonly loginFile: LoginFile | null;
  readonly warnings: readonly string[];
}

/**
 * Makes an identity in a cluster that exists, or makes a deleted one of its name again.
 * @throws EverleafError NotFound when there is no such cluster; InUse while it is being deleted; AlreadyExists;
 *   AccessDenied; InvalidInput, also when the cluster has as many identities as one holds
 */
export async function addIdentity(
  deps: Deps,
  run: Run,
  cluster: string,
  template: ClientTemplate,
  wishes: IdentityWishes,
): Promise<AddedIdentity> {
  const checked = checkWishes(wishes);
  await readLiveCluster(deps, cluster);
  const living = (await identitiesOf(deps, cluster)).filter(({ deletedAt }) => deletedAt === null);
  checkRoom(cluster, living.length);
  const rotationKey = await readRotationKey(deps);
  const made = await createOrRecreateIdentity(deps, run, rotationKey, cluster, template, checked);
  const { identity, isNew, warnings } = made;
  if (!isNew) {
    throw new EverleafError('AlreadyExists', `There is an identity ${identityText(identity)} already.`);
  }
  const loginFile = identity.delivery === 'agent' ? await readLoginFile(deps, identity) : null;
  if (loginFile !== null) await recordLoginFile(deps, run, identity);
  return { identity, loginFile, warnings };
}

/**
 * Changes what an operator decides about an identity. Client type and delivery are no part of that: what was issued
 * says the one and lies where the other put it, so such an identity is deleted and made again. Token settings hold from
 * the next token on, DNS names from the next certificate on.
 * @throws EverleafError NotFound; InvalidInput; PreconditionRequired, PreconditionFailed; AccessDenied for new DNS names
 */
export async function changeIdentity(
  deps: Deps,
  run: Run,
  id: IdentityId,
  wishes: IdentityWishes,
  ifMatch: IfMatch,
): Promise<Identity> {
  const checked = checkWishes(wishes);
  let isNoted = false;
  const identity = await updateIdentity(deps, id, async (current) => {
    isNoted = false;
    assertLive(current);
    assertUnchanged(deps, current, ifMatch);
    await assertMayName(run, current, checked.dnsNames ?? [], current.dnsNames);
    const changed: Identity = { ...current, ...checked };
    const names = (Object.keys(checked) as (keyof IdentityWishes)[]).filter(
      (name) => JSON.stringify(current[name]) !== JSON.stringify(changed[name]),
    );
    if (names.length === 0) return null;
    const event = eventChange(deps, run, 'identity-changed', id, { details: { changed: names.join(' ') } });
    // A rule may revoke by a name that it has from now on, or had until now.
    isNoted = names.includes('dnsNames');
    const notes = isNoted ? [noteForIdentity(deps, current)] : [];
    if (!names.includes('autoRotate') || changed.revokedAt !== null) {
      return { identity: changed, changes: [event, ...notes] };
    }
    // Whether the scan rotates the token or reminds of it stands in its row of the due index.
    const now = deps.clock.now();
    const due = moveDue(changed, 'token', later(planCredential(changed, 'token', now).dueAt, now));
    return { identity: due.identity, changes: [...due.changes, event, ...notes] };
  });
  if (isNoted) await announceLists(deps, run);
  return identity;
}

/**
 * An operator's rotation: the login file with the token that the identity goes on with. A vault-delivered identity finds
 * that token in its vault as well.
 * @param isCutOver ends every earlier token at once
 * @throws EverleafError NotFound; IdentityRevoked; AccessDenied
 */
export async function issueLoginFile(
  deps: Deps,
  run: Run,
  id: IdentityId,
  isCutOver: boolean,
): Promise<LoginFile> {
  const wishes: SuccessorWishes = {
    isCutOver,
    isHandover: true,
    check: async (current) => {
      assertLive(current);
      await assertMayIssueFor(deps, run, current);
    },
  };
  const { identity, token, text } = await ensureSuccessor(deps, run, id, wishes).catch(ofAnother);
  await recordLoginFile(deps, run, identity);
  return loginFileWith(deps, identity, token, text);
}

/** It is not the caller who is revoked: another credential of the caller would change nothing. */
function ofAnother(error: unknown): never {
  if (!isEverleafError(error, 'Revoked')) throw error;
  throw new EverleafError('IdentityRevoked', error.message, { details: error.details, cause: error });
}

/** Before the file leaves: nobody is ever given a token without a trace of it. */
async function recordLoginFile(deps: Deps, run: Run, identity: Identity): Promise<void> {
  await deps.identities.commit(identity.cluster, [
    eventChange(deps, run, 'login-file-issued', identity, {
      details: { generation: identity.token.generation },
    }),
  ]);
}
