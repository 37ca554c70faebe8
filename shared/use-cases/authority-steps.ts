import type { EventType } from '../domain/audit.ts';
import { FLEET, FLEET_CHAIN } from '../domain/audit.ts';
import {
  type Authority,
  authorityEndText,
  isFinished,
  isSuccessor,
  isTrusted,
  type Taint,
} from '../domain/authority.ts';
import { type ErrorDetails, EverleafError, isEverleafError } from '../domain/errors.ts';
import { wholeSecond } from '../domain/instants.ts';
import type { FleetChange } from '../ports/fleet-store.ts';
import { announceLists } from './announce-lists.ts';
import { bundleOf, bundleRecord } from './authorities.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { brief } from './patience.ts';

/** What one step of an authority's life changes: the authority itself, and others that change with it. */
export interface AuthorityStep {
  readonly event: EventType;
  readonly details?: ErrorDetails;
  /** Says why, in a word or a sentence. */
  readonly reason?: string;
  /** The authorities as they shall be, those alone that change. */
  readonly changed: readonly Authority[];
  /** The authority that signs from now on. */
  readonly activeAuthorityId?: string;
}

/**
 * Takes one step of an authority's life: the authorities that change, the pin of the one that signs, and the bundle that
 * follows from them change in one transaction, so nobody ever sees a bundle without an authority that signs. The event is
 * written before it: after a kill in between it may stand there twice, and is never missing.
 * @param decide gives the step, or null when there is nothing to do any more; called once per try
 * @returns the authorities as they stand afterwards
 */
export async function takeAuthorityStep(
  deps: Deps,
  run: Run,
  id: string,
  decide: (authority: Authority, all: readonly Authority[]) => AuthorityStep | null,
): Promise<readonly Authority[]> {
  const patience = brief();
  for (;;) {
    // Before the authorities: whoever takes a step replaces this row as well, so that steps come one after the other, and
    // the bundle that is put is the one that there is then.
    const deployment = await deps.fleet.deployment();
    if (deployment === null) throw new EverleafError('Internal', 'The deployment has lost its row.');
    const all = await deps.fleet.authorities();
    const stored = await Promise.all(all.map(({ id: each }) => deps.fleet.authority(each)));
    const known = stored.flatMap((one) => (one === null ? [] : [one]));
    const authorities = known.map(({ value }) => value);
    const authority = authorities.find((each) => each.id === id);
    if (authority === undefined) throw new EverleafError('NotFound', `There is no authority ${id}.`);
    const step = decide(authority, authorities);
    if (step === null) return authorities;
    const after = authorities.map((each) => step.changed.find((one) => one.id === each.id) ?? each);
    const changes: FleetChange[] = step.changed.map((value) => {
      const etag = known.find((one) => one.value.id === value.id)?.etag ?? '';
      return { op: 'replace', kind: 'authority', value, etag };
    });
    changes.push({ op: 'put', kind: 'bundle', value: bundleRecord(after, wholeSecond(deps.clock.now())) });
    const value = {
      ...deployment.value,
      activeAuthorityId: step.activeAuthorityId ?? deployment.value.activeAuthorityId,
      nextAuthorityId: nextIdAfter(deployment.value.nextAuthorityId, after),
    };
    changes.push({ op: 'replace', kind: 'deployment', value, etag: deployment.etag });
    await deps.identities.commit(FLEET_CHAIN, [
      eventChange(deps, run, step.event, FLEET, {
        authorityId: id,
        ...(step.reason === undefined ? {} : { reason: step.reason }),
        details: { bundleId: bundleOf(after).id, ...step.details },
      }),
    ]);
    try {
      await deps.fleet.commit(changes);
      // One that signs soon needs a list, and one that is over may stand on others'.
      await announceLists(deps, run);
      return after;
    } catch (error) {
      if (!isEverleafError(error, 'Conflict') || !(await patience())) throw error;
    }
  }
}

/** An id that has no row yet is being prepared just now, so it stays. */
function nextIdAfter(nextId: string | null, after: readonly Authority[]): string | null {
  const next = after.find(({ id }) => id === nextId);
  return next === undefined || isSuccessor(next) ? nextId : null;
}

/** Puts a prepared authority into the trust bundle. Does nothing when it is there. */
export function publishAuthority(deps: Deps, run: Run, id: string): Promise<readonly Authority[]> {
  return takeAuthorityStep(deps, run, id, (authority) =>
    authority.state !== 'Prepared'
      ? null
      : {
          event: 'authority-published',
          changed: [{ ...authority, state: 'Published', publishedAt: wholeSecond(deps.clock.now()) }],
        },
  );
}

/**
 * Has a published authority sign from now on; the one that signed until now retires.
 * @param details what the event tells beside it, as who has not acknowledged it
 */
export async function activateAuthority(
  deps: Deps,
  run: Run,
  id: string,
  details: ErrorDetails = {},
): Promise<readonly Authority[]> {
  const after = await takeAuthorityStep(deps, run, id, (authority, all) => {
    if (authority.state !== 'Published' || !isFinished(authority)) return null;
    const now = wholeSecond(deps.clock.now());
    const before = all.find(({ state }) => state === 'Active');
    const active: Authority = {
      ...authority,
      state: 'Active',
      activatedAt: now,
      leafValidityDays: deps.policy.certificateValidityDays,
    };
    return {
      event: 'authority-activated',
      details: { ...details, ...(before === undefined ? {} : { predecessorId: before.id }) },
      changed: [
        active,
        ...(before === undefined ? [] : [{ ...before, state: 'Retiring', retiringAt: now } as const]),
      ],
      activeAuthorityId: id,
    };
  });
  const active = after.find((each) => each.id === id);
  if (active?.state === 'Active') run.log.write('info', `Now ${authorityEndText(active)} and signs.`);
  return after;
}

/** Takes an authority whose last certificate has ended out of the bundle. */
export function retireAuthority(deps: Deps, run: Run, id: string): Promise<readonly Authority[]> {
  return takeAuthorityStep(deps, run, id, (authority) =>
    authority.state !== 'Retiring'
      ? null
      : {
          event: 'authority-retired',
          changed: [{ ...authority, state: 'Retired', retiredAt: wholeSecond(deps.clock.now()) }],
        },
  );
}

/** Gives a successor up that has never signed a certificate; the bundle loses it at once. */
export function cancelAuthority(
  deps: Deps,
  run: Run,
  id: string,
  reason: string,
): Promise<readonly Authority[]> {
  return takeAuthorityStep(deps, run, id, (authority) =>
    authority.state === 'Active' || isEnded(authority) || authority.activatedAt !== null
      ? null
      : {
          event: 'authority-cancelled',
          reason,
          changed: [{ ...authority, state: 'Retired', retiredAt: wholeSecond(deps.clock.now()) }],
        },
  );
}

function isEnded({ state }: Authority): boolean {
  return state === 'Retired' || state === 'Revoked' || state === 'Tainted' || state === 'Retiring';
}

/**
 * Has an authority sign no more, because others may have its key. It stays in the bundle until everything that it signed
 * is replaced. While it was the one that signed, nothing is issued until the next one does.
 */
export function taintAuthority(
  deps: Deps,
  run: Run,
  id: string,
  { reason, requestedBy, operationId }: Pick<Taint, 'reason' | 'requestedBy' | 'operationId'>,
): Promise<readonly Authority[]> {
  return takeAuthorityStep(deps, run, id, (authority) => {
    if (!isTrusted(authority) || authority.state === 'Tainted') return null;
    const waves = { waveAt: null, waves: 0, waveFrom: 0, waveTo: 0, isWaveDone: true, sweptAt: null };
    const taint = { reason, requestedBy, operationId, pausedAt: null, ...waves };
    const taintedAt = wholeSecond(deps.clock.now());
    return {
      event: 'authority-tainted',
      reason,
      changed: [{ ...authority, state: 'Tainted', taintedAt, taint }],
    };
  });
}

/**
 * Takes a tainted authority out of the bundle: what it signed is worth nothing any more.
 * @param byHand what the event tells of an operator's own wish, which a pause does not hold back; null for the timer's
 */
export function revokeAuthority(
  deps: Deps,
  run: Run,
  id: string,
  byHand: ErrorDetails | null = null,
): Promise<readonly Authority[]> {
  const details = byHand === null ? {} : { byHand: true, ...byHand };
  return takeAuthorityStep(deps, run, id, (authority) =>
    authority.state !== 'Tainted' || (byHand === null && authority.taint?.pausedAt != null)
      ? null
      : {
          event: 'authority-revoked',
          details,
          changed: [{ ...authority, state: 'Revoked', revokedAt: wholeSecond(deps.clock.now()) }],
        },
  );
}
