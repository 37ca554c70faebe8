import { toHex } from '../domain/encoding.ts';
import type { RevokedPart } from '../domain/listed-revocation.ts';
import type { Change } from '../ports/identity-store.ts';
import type { Deps, Run } from './deps.ts';

/**
 * The change that has the revocation lists look at an identity's certificates, for the transaction of whatever revokes
 * some of them: it costs the same however many there are, and however long the lists are.
 */
export function noteForLists(deps: Pick<Deps, 'clock' | 'random'>, revoked: RevokedPart): Change {
  const { identity, ...part } = revoked;
  const named = { cluster: identity.cluster, name: identity.name };
  return {
    op: 'put',
    kind: 'note',
    value: {
      v: 1,
      id: toHex(deps.random.bytes(16)),
      at: deps.clock.now(),
      revoked: { identity: named, ...part },
      ruled: null,
    },
  };
}

/** The note for everything that an identity has, where nobody said since when its keys are in other hands. */
export function noteForIdentity(
  deps: Pick<Deps, 'clock' | 'random'>,
  identity: RevokedPart['identity'],
): Change {
  return noteForLists(deps, { identity, instance: null, serialNumber: null, invalidityDate: null });
}

/**
 * Has the lists published soon. Called when the note is written, and fails for nothing: what revokes is done, and the timer
 * comes to the note as well.
 */
export async function announceLists(deps: Pick<Deps, 'queue'>, run: Run): Promise<void> {
  try {
    await deps.queue.announceLists();
  } catch (error) {
    run.log.write('warn', `The revocation lists wait for their timer: they could not be asked for: ${error}`);
  }
}
