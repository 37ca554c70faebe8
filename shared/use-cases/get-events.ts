import type { EventType } from '../domain/audit.ts';
import { FLEET_CHAIN } from '../domain/audit.ts';
import { NO_HASH, type PublicEvent } from '../domain/audit-chain.ts';
import type { Deps } from './deps.ts';
import { chainEvents } from './events-of-chain.ts';
import { fleetEvents } from './events-of-fleet.ts';

export interface EventQuery {
  /** Null for every chain, merged by time. */
  readonly chain: string | null;
  readonly type: EventType | null;
  /** The first moment that counts in. */
  readonly from: Date | null;
  /** The first moment that does not count in any more. */
  readonly before: Date | null;
  readonly limit: number;
  readonly cursor: string | null;
}

export interface EventPage {
  readonly items: readonly PublicEvent[];
  readonly nextCursor: string | null;
}

export interface Events extends EventPage {
  /** Where the chain that was asked for stands; that of the fleet when none was. */
  readonly seal: {
    readonly chain: string;
    readonly sealedSeq: number;
    readonly headHash: string;
    readonly checkpointAt: Date | null;
  };
}

/**
 * A page of the audit log, oldest first. A call looks at a bounded number of rows, so that a page may have few items, or
 * none, and a cursor to go on from: the end is where there is no cursor.
 * @throws EverleafError InvalidInput for a cursor that no page gave
 */
export async function getEvents(deps: Pick<Deps, 'audit'>, query: EventQuery): Promise<Events> {
  const chain = query.chain ?? FLEET_CHAIN;
  // The head first: what is behind it is in the list, whatever is sealed in between.
  const head = (await deps.audit.head(chain))?.value ?? null;
  const page =
    query.chain === null ? await fleetEvents(deps, query) : await chainEvents(deps, query.chain, query);
  return {
    ...page,
    seal: {
      chain,
      sealedSeq: head?.seq ?? 0,
      headHash: head?.hash ?? NO_HASH,
      checkpointAt: head?.checkpointAt ?? null,
    },
  };
}
