/** Laws of the authorities' plan: whatever happens meanwhile, there is one that signs, and none is ended too early. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Authority, canIssue, isSuccessor, isTrusted } from '../../../shared/domain/authority.ts';
import { isStepDue, planRoll, type RollFacts, type RollStep } from '../../../shared/domain/authority-plan.ts';
import { addMs, DAY_MS } from '../../../shared/domain/instants.ts';
import { validityFor } from '../../../shared/domain/policy.ts';
import { buildAuthority } from '../../support/build-authority.ts';
import { after } from '../../support/build-identity.ts';

const CERTIFICATE_DAYS = 90;

/** A day of the fleet: how long it was until then, how many know the next authority, and what an operator did. */
const day = fc.record({
  passed: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(500)),
  acknowledged: fc.integer({ min: 0, max: 3 }),
  taints: fc.constantFrom(false, false, false, false, true),
});

/** The authorities as they would stand after a step, with the ends of what each has signed. */
class Fleet {
  authorities: Authority[] = [buildAuthority({ id: 'a0', activatedAt: after(0) })];
  readonly lastLeaf = new Map<string, Date>();
  #made = 0;

  facts(now: Date, acknowledged: number): RollFacts {
    const acks = { total: 3, acknowledged, missing: [] };
    return {
      authorities: this.authorities,
      certificateValidityDays: CERTIFICATE_DAYS,
      acknowledgements: { verifiers: acks, agents: acks },
      leaves: new Map(this.authorities.map(({ id }) => [id, (this.lastLeaf.get(id) ?? now) > now ? 1 : 0])),
      now,
    };
  }

  /** The one that signs gives a certificate of whole length, cut to its own end. */
  issue(now: Date): void {
    const active = this.authorities.find(({ state }) => state === 'Active');
    if (active === undefined || !canIssue(active, now)) return;
    this.lastLeaf.set(active.id, validityFor(now, CERTIFICATE_DAYS, active.notAfter).notAfter);
  }

  taint(now: Date): void {
    this.#change((one) => (one.state === 'Active' ? { state: 'Tainted', taintedAt: now } : null));
    // What it signed is replaced.
    for (const { id, state } of this.authorities) if (state === 'Tainted') this.lastLeaf.delete(id);
  }

  take({ action, authorityId }: RollStep, now: Date): void {
    const to = (changes: Partial<Authority>) =>
      this.#change(({ id }) => (id === authorityId ? changes : null));
    switch (action) {
      case 'prepare':
        this.#made += 1;
        this.authorities.push(
          buildAuthority({ id: `a${this.#made}`, state: 'Prepared', ...validityFor(now, 365) }),
        );
        return;
      case 'publish':
        to({ state: 'Published', publishedAt: now });
        return;
      case 'activate':
        this.#change(({ state }) => (state === 'Active' ? { state: 'Retiring', retiringAt: now } : null));
        to({ state: 'Active', activatedAt: now });
        return;
      case 'revoke':
        to({ state: 'Revoked', revokedAt: now });
        return;
      default:
        to({ state: 'Retired', retiredAt: now });
    }
  }

  #change(decide: (authority: Authority) => Partial<Authority> | null): void {
    this.authorities = this.authorities.map((one) => ({ ...one, ...decide(one) }));
  }
}

function roll(fleet: Fleet, now: Date, acknowledged: number): void {
  for (let step = 0; ; step++) {
    const due = planRoll(fleet.facts(now, acknowledged)).find((one) => isStepDue(one, now));
    if (due === undefined) return;
    assert.ok(step < 10, 'a run comes to an end');
    fleet.take(due, now);
    assert.ok(fleet.authorities.filter(isSuccessor).length <= 1, 'never two successors');
    assert.ok(fleet.authorities.filter(({ state }) => state === 'Active').length <= 1, 'never two that sign');
    for (const one of fleet.authorities) {
      const isNeeded = (fleet.lastLeaf.get(one.id) ?? now) > now;
      assert.ok(!isNeeded || isTrusted(one), `${textOf(due)} ends ${one.id}, which a certificate needs`);
    }
  }
}

const textOf = (step: RollStep) => `${step.action} ${step.authorityId}`;

test('whatever happens, after a run one authority signs for long enough, and none ends that a certificate needs', () => {
  fc.assert(
    fc.property(fc.array(day, { minLength: 1, maxLength: 60 }), (days) => {
      const fleet = new Fleet();
      let now = after(0);
      for (const { passed, acknowledged, taints } of days) {
        now = addMs(now, passed * DAY_MS);
        if (taints) fleet.taint(now);
        roll(fleet, now, acknowledged);
        const active = fleet.authorities.find(({ state }) => state === 'Active');
        assert.ok(active !== undefined && isTrusted(active), 'one signs');
        const whole = validityFor(now, CERTIFICATE_DAYS).notAfter;
        assert.ok(whole <= active.notAfter, 'and what it signs lives its whole life');
        fleet.issue(now);
      }
    }),
    { numRuns: 200 },
  );
});
