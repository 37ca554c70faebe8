import { type Authority, activateSuccessorBy } from '../../../shared/domain/authority.ts';
import { allCertificates } from '../inspect-world.ts';
import type { World } from '../memory-world.ts';
import type { Forecast } from './forecast.ts';
import type { Handshakes, Refusal, Sample } from './handshakes.ts';

/** A refusal, and what had told of it before. */
export interface JudgedRefusal extends Refusal {
  readonly foretold: 'certificate' | 'bundle' | null;
}

/** What became of the years. */
export interface Report {
  readonly days: number;
  readonly agents: number;
  /** Certificates of clients that were issued. */
  readonly certificates: number;
  /** What the keys of the authorities have signed. */
  readonly signatures: number;
  /** Sides of handshakes that were held against what the other side trusts, each for a whole stretch of time. */
  readonly handshakes: number;
  readonly refusals: readonly JudgedRefusal[];
  /** Authorities that came to sign after another. */
  readonly rollovers: number;
  /** Those of them that had to at their deadline, because somebody had not acknowledged them. */
  readonly forced: number;
  readonly states: readonly Authority['state'][];
  /** Most certificates that a bundle ever held. */
  readonly largestBundle: number;
  /** Agents that kept no promise for a while. */
  readonly troubled: readonly string[];
  /** For somebody else to judge. */
  readonly samples: readonly Sample[];
}

interface Lived {
  readonly world: World;
  readonly handshakes: Handshakes;
  readonly forecast: Forecast;
  readonly signatures: number;
  readonly troubled: readonly string[];
  readonly samples: readonly Sample[];
  readonly agents: number;
  readonly days: number;
}

export async function report(lived: Lived): Promise<Report> {
  const { world, handshakes, forecast, signatures, troubled, samples, agents, days } = lived;
  const { deps } = world;
  const authorities = await deps.fleet.authorities();
  const followers = authorities.filter(
    ({ activatedAt, predecessorId }) => activatedAt !== null && predecessorId !== null,
  );
  const isForced = ({ activatedAt, predecessorId }: Authority) => {
    const before = authorities.find(({ id }) => id === predecessorId);
    if (before === undefined || activatedAt === null) return false;
    return activatedAt >= activateSuccessorBy(before, deps.policy.certificateValidityDays);
  };
  const refusals = handshakes.refusals.map(async (one) => ({
    ...one,
    foretold: await forecast.reasonFor(one),
  }));
  return {
    days,
    agents,
    certificates: (await allCertificates(world)).length,
    signatures,
    handshakes: handshakes.checked,
    refusals: await Promise.all(refusals),
    rollovers: followers.length,
    forced: followers.filter(isForced).length,
    states: authorities.map(({ state }) => state),
    largestBundle: Math.max(...(await deps.fleet.bundles()).map(({ anchors }) => anchors.length)),
    troubled,
    samples,
  };
}
