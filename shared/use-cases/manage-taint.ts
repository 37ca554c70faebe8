import { FLEET, FLEET_CHAIN } from '../domain/audit.ts';
import { type Authority, isTrusted, revokeAt } from '../domain/authority.ts';
import { toInstant, wholeSecond } from '../domain/instants.ts';
import type { Operation } from '../domain/operation.ts';
import { signedIdentities } from './affected-identities.ts';
import { blocked, followUp, readAuthority, wrongState } from './authority-states.ts';
import { revokeAuthority, taintAuthority } from './authority-steps.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { newOperationId } from './keyed-request.ts';
import type { DryRun } from './manage-authorities.ts';
import { rollAuthority } from './roll-authority.ts';
import { readOperation } from './start-operation.ts';
import { ensureTaintOperation, isBeingReplaced, type TaintedAuthority, updateTaint } from './taint-waves.ts';

/**
 * Has an authority sign no more because others may have its key, and begins to replace what it signed. If it was the one
 * that signs, the next one is prepared, published and activated at once; should the vault fail at that, the taint stands
 * all the same, and the timer goes on with it. Repeatable: whoever asks again gets the operation that began first.
 * @returns the operation that shows how far it is
 * @throws EverleafError NotFound; StateConflict for an authority that nobody trusts
 */
export async function taintByHand(deps: Deps, run: Run, id: string, reason: string): Promise<Operation> {
  const found = await readAuthority(deps, id);
  if (!isTaintable(found)) throw wrongState(found, 'tainted');
  await taintAuthority(deps, run, id, {
    reason,
    requestedBy: run.actor.id ?? run.actor.kind,
    operationId: newOperationId(deps, FLEET_CHAIN),
  });
  const authority = await readAuthority(deps, id);
  if (!isBeingReplaced(authority)) throw wrongState(authority, 'tainted');
  try {
    await rollAuthority(deps, run);
  } catch (error) {
    run.log.write(
      'error',
      `Authority ${id} is tainted; the timer goes on with its successor: ${String(error)}`,
    );
  }
  await ensureTaintOperation(deps, run, authority);
  return (await readOperation(deps, authority.taint.operationId)).value;
}

/** Whose certificates would be replaced. Changes nothing. */
export async function planTaint(deps: Deps, id: string): Promise<DryRun> {
  const authority = await readAuthority(deps, id);
  if (!isTaintable(authority)) throw wrongState(authority, 'tainted');
  return { authority, blockedBy: [], affected: await signedIdentities(deps, id) };
}

function isTaintable(authority: Authority): boolean {
  return isTrusted(authority);
}

/**
 * Holds the waves back: nobody is asked any more, and the authority is not revoked. What was asked for before goes on.
 * @throws EverleafError NotFound; StateConflict for an authority that is not tainted
 */
export function pauseTaint(deps: Deps, run: Run, id: string): Promise<Authority> {
  return setPaused(deps, run, id, wholeSecond(deps.clock.now()));
}

/** Lets the waves go on. @throws EverleafError as `pauseTaint` */
export function resumeTaint(deps: Deps, run: Run, id: string): Promise<Authority> {
  return setPaused(deps, run, id, null);
}

async function setPaused(deps: Deps, run: Run, id: string, pausedAt: Date | null): Promise<Authority> {
  const isPause = pausedAt !== null;
  const found = await readAuthority(deps, id);
  if (!isBeingReplaced(found)) throw wrongState(found, isPause ? 'paused' : 'resumed');
  const isAlready = ({ taint }: TaintedAuthority) => (taint.pausedAt !== null) === isPause;
  if (isAlready(found)) return found;
  // Before the row: after a kill in between it may stand there twice, and is never missing.
  await deps.identities.commit(FLEET_CHAIN, [
    eventChange(deps, run, isPause ? 'authority-taint-paused' : 'authority-taint-resumed', FLEET, {
      authorityId: id,
    }),
  ]);
  const after = await updateTaint(deps, id, (taint) =>
    (taint.pausedAt !== null) === isPause ? null : { ...taint, pausedAt },
  );
  if (after === null) throw wrongState(await readAuthority(deps, id), isPause ? 'paused' : 'resumed');
  return after;
}

/**
 * Takes a tainted authority out of the trust bundle by hand: for agents that never come, or when the danger of waiting is
 * the greater one. Who still holds a certificate of it is then refused by peers, and can log in or renew all the same.
 * @param isForced revoke it although certificates that it signed are in force
 * @throws EverleafError NotFound; StateConflict, which says what is in the way
 */
export async function revokeByHand(deps: Deps, run: Run, id: string, isForced: boolean): Promise<Authority> {
  const { authority, blockedBy, affected } = await planRevocation(deps, id);
  if (authority.state === 'Revoked') return authority;
  const [first] = blockedBy;
  if (first === NO_OTHER) {
    throw blocked(authority, 'revoked', blockedBy, 'Everybody would be left with nothing to trust.');
  }
  if (!isForced && first !== undefined) {
    const remedy = 'A dry run names their owners; with "force" it is revoked all the same.';
    throw blocked(authority, 'revoked', blockedBy, remedy);
  }
  await revokeAuthority(deps, run, id, { isForced, identitiesLeft: affected.length });
  await followUp(deps, run);
  return readAuthority(deps, id);
}

const NO_OTHER = 'no other authority signs yet';

/** Who would be left with a certificate that peers refuse. Changes nothing. @throws EverleafError as `revokeByHand` */
export async function planRevocation(deps: Deps, id: string): Promise<DryRun> {
  const authority = await readAuthority(deps, id);
  if (authority.state === 'Revoked') return { authority, blockedBy: [], affected: [] };
  if (authority.state !== 'Tainted') throw wrongState(authority, 'revoked');
  const affected = await signedIdentities(deps, id);
  const isReplaced = (await deps.fleet.authorities()).some(({ state }) => state === 'Active');
  const inForce =
    affected.length === 0 ? [] : [`${affected.length} identities still have a certificate that it signed`];
  const lastAt = revokeAt(authority);
  const onTheirWay =
    lastAt === null || lastAt <= deps.clock.now()
      ? []
      : [`signatures that it was asked for before the taint may come until ${toInstant(lastAt)}`];
  return {
    authority,
    blockedBy: [...(isReplaced ? [] : [NO_OTHER]), ...inForce, ...onTheirWay],
    affected,
  };
}
