import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Authority } from '../../../shared/domain/authority.ts';
import type { AckTally } from '../../../shared/domain/authority-census.ts';
import {
  AWAITS_OUTSIDE_ROOT,
  isStepDue,
  isStepLate,
  planRoll,
  type RollFacts,
} from '../../../shared/domain/authority-plan.ts';
import { validityFor } from '../../../shared/domain/policy.ts';
import { buildAuthority } from '../../support/build-authority.ts';
import { after } from '../../support/build-identity.ts';

const acks = (total: number, acknowledged: number): AckTally => ({ total, acknowledged, missing: [] });
const ALL = { verifiers: acks(2, 2), agents: acks(5, 5) };
const A = buildAuthority();
const B = (changes: Partial<Authority> = {}) =>
  buildAuthority({ id: 'a2', state: 'Published', ...validityFor(after(183), 365), ...changes });

/** What is due and what waits, as words. */
function plan(day: number, authorities: readonly Authority[], changes: Partial<RollFacts> = {}): string[] {
  const now = after(day);
  const steps = planRoll({
    authorities,
    certificateValidityDays: 90,
    authorityRoot: 'self',
    acknowledgements: null,
    leaves: new Map(),
    now,
    ...changes,
  });
  return steps.map((step) => {
    const state = isStepDue(step, now)
      ? step.reason
      : step.dueAt > now
        ? 'NotDue'
        : step.blockedBy.join('; ');
    return `${step.action} ${step.authorityId ?? 'next'}: ${state}${isStepLate(step, now) ? ' (late)' : ''}`;
  });
}

describe('the plan of the authorities', () => {
  it('is empty before the first start', () => {
    assert.deepEqual(plan(0, []), []);
  });

  it('prepares the next one at half of the life of the one that signs', () => {
    assert.deepEqual(plan(182, [A]), ['prepare next: NotDue']);
    assert.deepEqual(plan(183, [A]), ['prepare next: InWindow']);
    assert.deepEqual(plan(186, [A]), ['prepare next: InWindow (late)']);
    assert.deepEqual(plan(276, [A]), ['prepare next: Overdue (late)']);
  });

  it('prepares one at once where none signs', () => {
    assert.deepEqual(plan(1, [{ ...A, state: 'Retired' }]), ['prepare next: Overdue']);
    const tainted = { ...A, state: 'Tainted', taintedAt: after(1) } as const;
    assert.deepEqual(plan(1.1, [tainted]), [
      'prepare next: AuthorityTainted',
      'revoke a1: no other authority signs yet',
    ]);
  });

  it('goes on with one that is being made, and publishes one that is made', () => {
    assert.deepEqual(plan(183, [A, B({ state: 'Creating' })]), ['prepare a2: InWindow']);
    assert.deepEqual(plan(183, [A, B({ state: 'Prepared' })]), ['publish a2: InWindow']);
    assert.deepEqual(plan(276, [A, B({ state: 'Prepared' })]), ['publish a2: Overdue (late)']);
    const tainted = { ...A, state: 'Tainted', taintedAt: after(183) } as const;
    assert.equal(plan(183, [tainted, B({ state: 'Prepared' })])[0], 'publish a2: AuthorityTainted');
  });

  it('has the next one sign when the verifiers and then the agents know it', () => {
    const counted = (verifiers: AckTally, agents: AckTally) =>
      plan(200, [A, B()], { acknowledgements: { verifiers, agents } })[0];
    assert.equal(counted(ALL.verifiers, ALL.agents), 'activate a2: InWindow');
    assert.equal(
      counted(acks(2, 1), acks(5, 1)),
      'activate a2: 1 of 2 verifiers have not acknowledged it; 4 of 5 agents have not acknowledged it',
    );
    assert.equal(plan(200, [A, B()])[0], 'activate a2: nobody has counted the acknowledgements yet');
  });

  it('has it sign on the last day whoever knows it, and is late two days later', () => {
    const nobody = { acknowledgements: { verifiers: acks(2, 0), agents: acks(5, 0) } };
    assert.match(plan(274.9, [A, B()], nobody)[0] ?? '', /not acknowledged/);
    assert.deepEqual(plan(275, [A, B()], nobody), ['activate a2: Overdue']);
    assert.deepEqual(plan(277.1, [A, B()], nobody), ['activate a2: Overdue (late)']);
    assert.deepEqual(
      plan(190, [{ ...A, state: 'Tainted' }, B()], nobody)[0],
      'activate a2: AuthorityTainted',
    );
  });

  it('gives one up that would have to be followed at once, and not one that has not begun', () => {
    assert.deepEqual(plan(183 + 276, [A, B()]), ['cancel a2: Overdue (late)']);
    const unsigned = B({ state: 'Creating', certificate: null });
    assert.deepEqual(plan(183 + 276, [A, unsigned]), ['prepare a2: Overdue (late)']);
  });

  it('does not give one up whose life is as short as that of its certificates', () => {
    const short = buildAuthority(validityFor(after(0), 90));
    const next = B({ state: 'Prepared', ...validityFor(after(45), 90) });
    assert.deepEqual(plan(46, [short, next]), ['publish a2: Overdue']);
  });

  it('retires one when its last certificate has ended', () => {
    const retiring = { ...A, state: 'Retiring', retiringAt: after(200) } as const;
    const [, before] = plan(290, [B({ state: 'Active' }), retiring]);
    const [, later] = plan(291, [B({ state: 'Active' }), retiring]);
    assert.deepEqual([before, later], ['retire a1: NotDue', 'retire a1: InWindow']);
  });

  it('waits for the signature of an outside root, past every deadline, and for nothing else', () => {
    const creating = B({ state: 'Creating', certificate: null, spkiHash: null });
    const waiting = { ...creating, spkiHash: 'ab' };
    const outside = { authorityRoot: 'outside' } as const;
    assert.equal(plan(183, [A, creating], outside)[0], 'prepare a2: InWindow');
    assert.equal(plan(200, [A, waiting], outside)[0], `prepare a2: ${AWAITS_OUTSIDE_ROOT}`);
    assert.equal(plan(400, [A, waiting], outside)[0], `prepare a2: ${AWAITS_OUTSIDE_ROOT}`);
    assert.equal(plan(183, [A, waiting])[0], 'prepare a2: InWindow');
    const signed = { ...waiting, certificate: new Uint8Array() };
    assert.equal(plan(183, [A, signed], outside)[0], 'prepare a2: InWindow');
  });

  it('revokes a tainted one when another signs and nothing of it is in use', () => {
    const waves = { waveAt: null, waves: 0, waveFrom: 0, waveTo: 0, isWaveDone: true, sweptAt: null };
    const taint = { reason: '', requestedBy: '', operationId: null, pausedAt: null, ...waves };
    const tainted = (changes: Partial<Authority> = {}): Authority => ({
      ...A,
      state: 'Tainted',
      taintedAt: after(200),
      taint,
      ...changes,
    });
    const left = (count: number | null, authority = tainted(), day = 201) =>
      plan(day, [B({ state: 'Active' }), authority], {
        leaves: new Map(count === null ? [] : [['a1', count]]),
      })[1];
    assert.equal(left(0), 'revoke a1: AuthorityTainted');
    assert.equal(left(3), 'revoke a1: 3 certificates that it signed are still in use');
    assert.equal(left(0, tainted(), 200), 'revoke a1: NotDue', 'what was on its way is not counted yet');
    assert.equal(left(null), 'revoke a1: nobody has counted its certificates yet');
    const paused = tainted({ taint: { ...taint, pausedAt: after(200) } });
    assert.equal(left(0, paused), 'revoke a1: an operator has paused it');
    assert.equal(left(3, tainted({ taintedAt: null }), 366), 'revoke a1: AuthorityTainted', 'it has ended');
  });
});
