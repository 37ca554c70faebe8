import { EverleafError } from '../domain/errors.ts';
import { type Instance, withLock } from '../domain/instance.ts';
import { type IdentityId, identityText } from '../domain/names.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { assertLive, readLiveIdentity } from './live-identity.ts';
import { assertMayIssueFor } from './may-issue.ts';
import { updateIdentity } from './update-identity.ts';

/** The first half of a key's SHA-256: see `claimKey`. */
const INSTANCE_ID = /^[0-9a-f]{32}$/;

export interface InstancePage {
  readonly items: readonly Instance[];
  /** Id that the next page begins after; null at the end. */
  readonly nextCursor: string | null;
}

/**
 * The lines of an identity by their ids, those of its earlier incarnations too.
 * @param after the last id of the page before; null for the first page
 * @throws EverleafError NotFound; InvalidInput for an id that is none
 */
export async function listInstances(
  deps: Pick<Deps, 'identities'>,
  id: IdentityId,
  { after, limit }: { readonly after: string | null; readonly limit: number },
): Promise<InstancePage> {
  if (after !== null && !INSTANCE_ID.test(after)) {
    throw new EverleafError('InvalidInput', 'cursor is not one that a page gave.');
  }
  await readLiveIdentity(deps, id);
  // One more than wanted tells whether there is another page.
  const found = await deps.identities.instances(id, { after, limit: limit + 1 });
  const items = found.slice(0, limit);
  return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/**
 * Unlocks a line that was locked because two have used its certificates: its head goes on. A line that is not locked
 * stays as it is, and one that is revoked stays revoked.
 * @throws EverleafError NotFound; AccessDenied
 */
export async function unlockInstance(
  deps: Deps,
  run: Run,
  id: IdentityId,
  instance: string,
): Promise<Instance> {
  await updateIdentity(deps, id, async (identity) => {
    assertLive(identity);
    await assertMayIssueFor(deps, run, identity);
    const stored = await readInstance(deps, id, instance);
    if (stored.value.lockedAt === null) return null;
    const value = { ...stored.value, lockedAt: null };
    // A line that is revoked has not counted as locked since then.
    const isCounted = value.revokedAt === null;
    return {
      identity: isCounted ? withLock(identity, -1) : identity,
      changes: [
        { op: 'replace', kind: 'instance', value, etag: stored.etag },
        eventChange(deps, run, 'instance-unlocked', identity, {
          serialNumber: value.head.serialNumber,
          details: { instance },
        }),
      ],
    };
  });
  return (await readInstance(deps, id, instance)).value;
}

async function readInstance(deps: Pick<Deps, 'identities'>, id: IdentityId, instance: string) {
  const stored = INSTANCE_ID.test(instance) ? await deps.identities.instance(id, instance) : null;
  if (stored !== null) return stored;
  throw new EverleafError('NotFound', `${identityText(id)} has no such instance.`);
}
