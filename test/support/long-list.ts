import { addMs, DAY_MS } from '../../shared/domain/instants.ts';
import type { ListedRevocation } from '../../shared/domain/listed-revocation.ts';
import type { World } from './memory-world.ts';
import { startedWorld } from './operator-actions.ts';
import { onlyAuthorityId } from './revocation-lists.ts';

/** A deployment of whose only authority's certificates so many are revoked. No list is published yet. */
export async function worldWithRevoked(entries: number): Promise<World> {
  const world = await startedWorld();
  world.queue.takeAnnouncements();
  const authorityId = await onlyAuthorityId(world);
  const now = world.clock.now();
  const put = Array.from(
    { length: entries },
    (_, i): ListedRevocation => ({
      v: 1,
      identity: { cluster: 'alpha', name: `n-${i % 500}` },
      serialNumber: `5e${i.toString(16).padStart(30, '0')}`,
      authorityId,
      notAfter: addMs(now, 80 * DAY_MS),
      revokedAt: now,
      reason: 'superseded',
      invalidityDate: null,
      isByRuleAlone: false,
    }),
  );
  await world.deps.crl.changeListed('alpha', { put, remove: [] });
  return world;
}
