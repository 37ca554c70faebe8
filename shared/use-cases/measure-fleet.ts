import { isTrusted } from '../domain/authority.ts';
import { type CredentialEnds, credentialEnds } from '../domain/credential-ends.ts';
import { canPublishCrl } from '../domain/crl.ts';
import type { Identity } from '../domain/identity.ts';
import type { Family, Labels, NameOf, Point } from '../domain/metrics.ts';
import { responderInForce } from '../domain/responder.ts';
import type { Deps } from './deps.ts';
import { getStatus, type Status } from './get-status.ts';
import { publishedOf } from './read-crl.ts';
import { readResponders } from './renew-responders.ts';

/** The fleet in numbers: what its status says, and when things end. */
export interface FleetNumbers {
  readonly status: Status;
  /** All but those of single credentials. */
  readonly gauges: readonly Family<'gauge'>[];
}

/**
 * Measures the fleet by the walk that a status takes, and costs what that costs.
 * @param onCredential is shown every credential in force, once
 */
export async function measureFleet(
  deps: Deps,
  onCredential: (identity: Identity, ends: CredentialEnds) => void,
): Promise<FleetNumbers> {
  const now = deps.clock.now();
  const nobody = { cluster: null, state: null, limit: 0, cursor: null };
  const status = await getStatus(deps, nobody, ({ identity }) => {
    for (const ends of credentialEnds(identity, now)) onCredential(identity, ends);
  });
  const [authorities, states, responders] = await Promise.all([
    deps.fleet.authorities(),
    deps.crl.states(),
    readResponders(deps, now),
  ]);
  const { byState } = status.totals;
  const gauges = [
    gauge(
      'everleaf.identities',
      Object.entries(byState).map(([state, value]) => point({ state }, value)),
    ),
    gauge(
      'everleaf.authority.not_after',
      authorities
        .filter(isTrusted)
        .map(({ id, state, notAfter }) => point({ authority: id, state }, seconds(notAfter))),
    ),
    gauge(
      'everleaf.crl.next_update',
      authorities.flatMap((authority) => {
        const published = publishedOf(states, authority.id);
        const isServed = published !== null && canPublishCrl(authority, now);
        return isServed ? [point({ authority: authority.id }, seconds(published.nextUpdate))] : [];
      }),
    ),
    gauge(
      'everleaf.responder.not_after',
      responders.map(({ authority, responder }) =>
        point({ authority: authority.id }, seconds(responderInForce(responder, now)?.notAfter ?? null)),
      ),
    ),
    gauge(
      'everleaf.timer.last_success',
      status.timers.map(({ name, lastSuccessAt }) => point({ timer: name }, seconds(lastSuccessAt))),
    ),
    gauge('everleaf.queue.waiting', [point({}, status.queue.waiting)]),
    gauge('everleaf.queue.poison', [point({}, status.queue.poison)]),
  ];
  return { status, gauges };
}

export function gauge(name: NameOf<'gauge'>, points: readonly Point[]): Family<'gauge'> {
  return { name, points };
}

export function point(labels: Labels, value: number): Point {
  return { labels, value };
}

/** A moment as metrics tell it; 0 for none. */
export function seconds(at: Date | null): number {
  return at === null ? 0 : Math.floor(at.getTime() / 1000);
}
