import { FLEET_CHAIN } from '../domain/audit.ts';
import { type Authority, isActive, type Taint } from '../domain/authority.ts';
import { isEverleafError } from '../domain/errors.ts';
import type { Identity } from '../domain/identity.ts';
import { addMs, HOUR_MS, wholeSecond } from '../domain/instants.ts';
import type { OperationItem } from '../domain/operation.ts';
import { planPace } from '../domain/taint-pace.ts';
import { isAnySigned } from '../domain/tainted-certificates.ts';
import type { Deps, Run } from './deps.ts';
import { patient } from './patience.ts';
import { inPool } from './pool.ts';
import { rollAuthority } from './roll-authority.ts';
import { insertOperation } from './start-operation.ts';
import {
  identitiesSignedBy,
  itemIdentity,
  readSigned,
  type Signed,
  taintItems,
} from './tainted-identities.ts';
import { type IdentityUpdate, moveDue, updateIdentity, withCredential } from './update-identity.ts';

/** An authority that is tainted and not revoked yet. */
export type TaintedAuthority = Authority & { readonly taint: Taint & { readonly operationId: string } };

export function isBeingReplaced(authority: Authority): authority is TaintedAuthority {
  return authority.state === 'Tainted' && authority.taint !== null && authority.taint.operationId !== null;
}

/**
 * How far before the timer's last success an authority still counts as revoked since then: clocks differ, and what was on
 * its way to be signed comes later.
 */
const MARGIN_MS = HOUR_MS;

/**
 * Goes on with every tainted authority: what the timer does before its scan, which sends what a wave makes due. Of one
 * that was revoked by force everything that is left is due at once.
 */
export async function tendTaints(deps: Deps, run: Run): Promise<void> {
  const all = await deps.fleet.authorities();
  for (const { id } of all.filter(isBeingReplaced)) await goOnWithTaint(deps, run, id);
  const lastSuccessAt = (await deps.fleet.timerRun('renew-due'))?.lastSuccessAt ?? null;
  const since = lastSuccessAt === null ? null : addMs(lastSuccessAt, -MARGIN_MS);
  for (const { id, revokedAt } of all) {
    if (revokedAt !== null && (since === null || revokedAt >= since)) await replaceLeftOver(deps, id);
  }
}

/** Nobody accepts what a revoked authority signed, and what lies in a vault no agent can renew: no wave is waited for. */
async function replaceLeftOver(deps: Deps, id: string): Promise<void> {
  for await (const found of identitiesSignedBy(deps, id)) {
    await inPool(found.filter(isAskable), (one) => ask(deps, id, one));
  }
}

/**
 * Goes on with the replacement of what a tainted authority signed. A wave is written down before anybody is asked, as
 * places in the operation's list, so whoever finds it begun asks those that a killed run has left out; being asked twice
 * is being asked once. When all waves are through, the whole fleet is searched for whoever got a certificate while the
 * authority was tainted; when nothing is left at all, the authorities take their next step, which revokes this one.
 *
 * Nothing is renewed here: what an identity's vault is to make becomes due, and the scan sends it within the vault's
 * budget; an agent finds in every answer that it should renew now.
 */
export async function goOnWithTaint(deps: Deps, run: Run, id: string): Promise<void> {
  const authority = await readTainted(deps, id);
  if (authority === null) return;
  const items = await ensureTaintOperation(deps, run, authority);
  const current = await finishWave(deps, authority, items);
  const others = await deps.fleet.authorities();
  const pace = planPace({
    taint: current.taint,
    isReplaced: others.some(isActive),
    total: items.length,
    waveSize: deps.policy.taintWaveSize,
    waveMinutes: deps.policy.taintWaveMinutes,
    now: deps.clock.now(),
  });
  if (pace.next === 'sweep') return sweep(deps, run, current);
  if (pace.next === 'wait') return;
  const { from, to } = pace;
  const begun = await updateTaint(deps, id, (taint) =>
    // Somebody else has begun it, or an operator has paused it meanwhile.
    taint.waves !== current.taint.waves || taint.pausedAt !== null
      ? null
      : {
          ...taint,
          waveAt: wholeSecond(deps.clock.now()),
          waves: taint.waves + 1,
          waveFrom: from,
          waveTo: to,
          isWaveDone: false,
        },
  );
  if (begun?.taint.waves !== current.taint.waves + 1) return;
  run.log.write(
    'info',
    `Authority ${id} is tainted: wave ${begun.taint.waves} asks ${to - from} identities.`,
  );
  await finishWave(deps, begun, items);
}

async function readTainted(deps: Pick<Deps, 'fleet'>, id: string): Promise<TaintedAuthority | null> {
  const stored = await deps.fleet.authority(id);
  return stored !== null && isBeingReplaced(stored.value) ? stored.value : null;
}

/**
 * Changes what the record says of a taint; when somebody wrote in between it reads and decides again.
 * @param decide gives the taint as it shall be, or null when there is nothing to do any more; called once per try
 * @returns the authority as it stands afterwards; null when it is not tainted, or is revoked
 */
export async function updateTaint(
  deps: Pick<Deps, 'fleet' | 'clock' | 'random'>,
  id: string,
  decide: (taint: TaintedAuthority['taint']) => TaintedAuthority['taint'] | null,
): Promise<TaintedAuthority | null> {
  const patience = patient(deps);
  for (;;) {
    const stored = await deps.fleet.authority(id);
    if (stored === null || !isBeingReplaced(stored.value)) return null;
    const taint = decide(stored.value.taint);
    if (taint === null) return stored.value;
    const value = { ...stored.value, taint };
    try {
      await deps.fleet.replaceAuthority(value, stored.etag);
      return value;
    } catch (error) {
      if (!isEverleafError(error, 'Conflict') || !(await patience())) throw error;
    }
  }
}

/**
 * The operation of a taint, made when it is not there: a call that was killed may have tainted the authority alone.
 * @returns its items
 */
export async function ensureTaintOperation(
  deps: Deps,
  run: Run,
  { id, taint }: TaintedAuthority,
): Promise<readonly OperationItem[]> {
  const { operationId } = taint;
  if ((await deps.operations.operation(operationId)) === null) {
    const facts = {
      id: operationId,
      kind: 'taint',
      cluster: FLEET_CHAIN,
      credentials: ['cloud', 'kubelet'],
      force: true,
      requestedAt: wholeSecond(deps.clock.now()),
    } as const;
    await insertOperation(deps, run, facts, await taintItems(deps, id));
  }
  return deps.operations.items(operationId);
}

/**
 * Asks those of the newest wave that were not asked yet, and notes when the vaults are done with all of it: what failed is
 * tried again at its own time and holds nobody up.
 */
async function finishWave(
  deps: Deps,
  authority: TaintedAuthority,
  items: readonly OperationItem[],
): Promise<TaintedAuthority> {
  const { waves, waveFrom, waveTo, isWaveDone, pausedAt } = authority.taint;
  if (isWaveDone || pausedAt !== null) return authority;
  const rules = await deps.revocationRules.all();
  const wave = await inPool(items.slice(waveFrom, waveTo), async (item) => {
    const stored = await deps.identities.identity(itemIdentity(item));
    if (stored === null) return false;
    const signed = await readSigned(deps, stored.value, authority.id, rules);
    return isAtWork(await ask(deps, authority.id, signed), signed);
  });
  if (wave.includes(true)) return authority;
  const done = await updateTaint(deps, authority.id, (taint) =>
    taint.waves === waves ? { ...taint, isWaveDone: true } : null,
  );
  return done ?? authority;
}

/** Whether its vault is still to make a certificate, as far as that can be expected soon. */
function isAtWork({ certificate, revokedAt }: Identity, { left }: Signed): boolean {
  return left.isVaults && revokedAt === null && certificate.failure === null;
}

/**
 * Whether somebody can be asked. The agents of a vault-delivered identity find it in their answers; a renewal in the vault
 * would not help them.
 */
function isAskable({ identity, left }: Signed): boolean {
  return identity.certificate.forcedAt === null && (left.isVaults || identity.delivery === 'agent');
}

/**
 * Wants the next certificate of an identity, as an operator's renewal does, unless that is wanted already.
 * @returns the identity as it stands afterwards
 */
async function ask(deps: Deps, id: string, signed: Signed): Promise<Identity> {
  const { identity, left } = signed;
  if (!isAnySigned(left) || !isAskable(signed)) return identity;
  const who = { cluster: identity.cluster, name: identity.name };
  return updateIdentity(deps, who, (current) => {
    const { certificate, revokedAt, delivery } = current;
    const isReplaced = delivery === 'vault' && certificate.head?.authorityId !== id;
    return revokedAt !== null || certificate.forcedAt !== null || isReplaced
      ? null
      : wantedNow(deps, current);
  });
}

function wantedNow(deps: Pick<Deps, 'clock'>, current: Identity): IdentityUpdate {
  const now = wholeSecond(deps.clock.now());
  const wanted = withCredential(current, 'certificate', { forcedAt: now, failure: null });
  // What is on the queue is worked on: its message does what is wanted.
  return current.certificate.queuedAt === null
    ? moveDue(wanted, 'certificate', now)
    : { identity: wanted, changes: [] };
}

/** Searches the whole fleet for whoever the waves have missed, and asks at most a wave of them. */
async function sweep(deps: Deps, run: Run, authority: TaintedAuthority): Promise<void> {
  let [left, asked] = [0, 0];
  for await (const found of identitiesSignedBy(deps, authority.id)) {
    left += found.length;
    const chosen = found.filter(isAskable).slice(0, deps.policy.taintWaveSize - asked);
    asked += chosen.length;
    await inPool(chosen, (one) => ask(deps, authority.id, one));
  }
  const sweptAt = wholeSecond(deps.clock.now());
  await updateTaint(deps, authority.id, (taint) => ({ ...taint, sweptAt }));
  if (asked > 0)
    run.log.write('info', `Authority ${authority.id} is tainted: asked ${asked} more identities.`);
  if (left > 0) return;
  run.log.write('info', `Nothing in force is left that authority ${authority.id} signed.`);
  await rollAuthority(deps, run);
}
