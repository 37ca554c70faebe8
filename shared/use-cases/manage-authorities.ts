import {
  type Authority,
  activateSuccessorBy,
  awaitsOutsideRoot,
  type FinishedAuthority,
  isFinished,
} from '../domain/authority.ts';
import { missingText } from '../domain/authority-census.ts';
import { isStepDue, planRoll, type RollStep } from '../domain/authority-plan.ts';
import { EverleafError } from '../domain/errors.ts';
import { type AffectedIdentity, unacknowledgedIdentities } from './affected-identities.ts';
import { readActiveAuthority } from './authorities.ts';
import { blocked, followUp, readAuthority, wrongState } from './authority-states.ts';
import { activateAuthority, cancelAuthority, publishAuthority } from './authority-steps.ts';
import { countAcknowledgements } from './count-acknowledgements.ts';
import type { Deps, Run } from './deps.ts';
import { prepareSuccessor, vouchForNext } from './prepare-successor.ts';
import { acknowledgementDetails, rollAuthority } from './roll-authority.ts';
import { readRollFacts } from './roll-facts.ts';

/** What a step would do: whom it affects, and what is in its way. */
export interface DryRun {
  readonly authority: Authority;
  readonly blockedBy: readonly string[];
  readonly affected: readonly AffectedIdentity[];
}

/** The steps that the authorities have before them: those that were taken or would be taken now, and the others. */
export interface Roll {
  readonly done: readonly Pick<RollStep, 'action' | 'authorityId'>[];
  readonly left: readonly RollStep[];
}

/**
 * Takes the steps that are due, as the timer does.
 * @throws EverleafError InProgress while another run is at it; what the steps throw
 */
export async function rollNow(deps: Deps, run: Run): Promise<Roll> {
  const outcome = await rollAuthority(deps, run);
  if (outcome === null) {
    throw new EverleafError(
      'InProgress',
      'Another run takes the steps of the authorities just now. Look again in a moment.',
      { retryable: true, retryAfterSeconds: 10 },
    );
  }
  return { done: outcome.steps, left: planRoll(await readRollFacts(deps)) };
}

/** What `rollNow` would begin with, by what was counted last. One step can make others due. Changes nothing. */
export async function planRollNow(deps: Deps): Promise<Roll> {
  const steps = planRoll(await readRollFacts(deps));
  const isDue = (step: RollStep) => isStepDue(step, deps.clock.now());
  return { done: steps.filter(isDue), left: steps.filter((step) => !isDue(step)) };
}

/**
 * Prepares the next authority before its time, or finds the one that is prepared: there is one at most.
 * @throws EverleafError NotReady before the first start; StateConflict while its request waits for an outside root; what the
 *   vault throws, after which the same call goes on
 */
export async function prepareByHand(deps: Deps, run: Run): Promise<FinishedAuthority> {
  const prepared = await prepareSuccessor(deps, run);
  if (prepared !== null) return prepared;
  const waiting = (await deps.fleet.authorities()).find(awaitsOutsideRoot);
  if (waiting !== undefined) {
    throw new EverleafError(
      'StateConflict',
      `Authority ${waiting.id} waits until the outside root has signed its request: fetch it at ` +
        `GET /api/authorities/${waiting.id}/csr and bring the certificate to POST /api/authorities/${waiting.id}/certificate.`,
      { details: { authorityId: waiting.id } },
    );
  }
  return readActiveAuthority(deps);
}

/**
 * Has the next authority sign, and publishes it first where that was not done. Who checks certificates and has not
 * acknowledged it will refuse what it signs, unless it accepts the cross certificate that comes with it.
 * @param isForced activate it although not everybody has acknowledged it
 * @throws EverleafError NotFound; StateConflict, which names what is in the way
 */
export async function activateByHand(
  deps: Deps,
  run: Run,
  id: string,
  isForced: boolean,
): Promise<Authority> {
  const authority = await readAuthority(deps, id);
  if (authority.state === 'Active') return authority;
  if (!isActivatable(authority)) throw wrongState(authority, 'activated');
  const blockedBy = isForced ? [] : await activationBlocks(deps, authority);
  if (blockedBy.length > 0) {
    const remedy = 'A dry run names them; with "force" it is activated all the same.';
    throw blocked(authority, 'activated', blockedBy, remedy);
  }
  await publishAuthority(deps, run, id);
  if (isForced) await countAcknowledgements(deps);
  await vouchForNext(deps, run, id);
  await activateAuthority(deps, run, id, { byHand: true, ...(await acknowledgementDetails(deps, id)) });
  await followUp(deps, run);
  const after = await readAuthority(deps, id);
  // Others act as well: it was given up meanwhile. One that was tainted or followed since has signed.
  if (after.activatedAt === null) throw wrongState(after, 'activated');
  return after;
}

/** Whom an activation would meet unprepared. Changes nothing but the counts. */
export async function planActivation(deps: Deps, id: string): Promise<DryRun> {
  const authority = await readAuthority(deps, id);
  if (authority.state === 'Active') return { authority, blockedBy: [], affected: [] };
  if (!isActivatable(authority)) throw wrongState(authority, 'activated');
  const blockedBy = await activationBlocks(deps, authority);
  return { authority, blockedBy, affected: await unacknowledgedIdentities(deps, authority) };
}

function isActivatable(authority: Authority): authority is FinishedAuthority {
  return (authority.state === 'Prepared' || authority.state === 'Published') && isFinished(authority);
}

/** Nothing, where nobody signs or the deadline has passed: the timer does not wait then either. */
async function activationBlocks(deps: Deps, { id }: FinishedAuthority): Promise<readonly string[]> {
  const active = (await deps.fleet.authorities()).find(({ state }) => state === 'Active');
  const { certificateValidityDays } = deps.policy;
  if (active === undefined || activateSuccessorBy(active, certificateValidityDays) <= deps.clock.now())
    return [];
  const census = (await countAcknowledgements(deps)).find(({ authorityId }) => authorityId === id);
  if (census === undefined) return [];
  const { verifiers, agents } = census;
  return [missingText('verifiers', verifiers), missingText('agents', agents)].filter((text) => text !== null);
}

/**
 * Gives up an authority that has never signed a certificate.
 * @throws EverleafError NotFound; StateConflict for one that has signed
 */
export async function cancelByHand(deps: Deps, run: Run, id: string): Promise<Authority> {
  const authority = await readAuthority(deps, id);
  if (authority.state === 'Retired' && authority.activatedAt === null) return authority;
  const isCancellable = ['Creating', 'Prepared', 'Published'].includes(authority.state);
  if (!isCancellable || authority.activatedAt !== null) throw wrongState(authority, 'cancelled');
  await cancelAuthority(deps, run, id, 'an operator gave it up');
  await followUp(deps, run);
  const after = await readAuthority(deps, id);
  if (after.state !== 'Retired') throw wrongState(after, 'cancelled');
  return after;
}
