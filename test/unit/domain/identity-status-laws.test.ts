import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  conditionOf,
  IDENTITY_STATES,
  type IdentityCondition,
} from '../../../shared/domain/identity-status.ts';
import { NO_RECOVERY, offlineDays } from '../../../shared/domain/offline-budget.ts';
import { isWorkDue, planCredential } from '../../../shared/domain/renewal-plan.ts';
import { type Sample, sample } from '../../support/arbitrary-identity.ts';

const KINDS = ['certificate', 'token'] as const;

/** A law over every identity at any moment; a judgement that throws breaks each of them. */
function law(claim: (condition: IdentityCondition, sample: Sample) => void): void {
  fc.assert(
    fc.property(sample, (found) => claim(conditionOf(found.identity, found.held, found.now), found)),
    { numRuns: 600 },
  );
}

describe('the laws of an identity’s state', () => {
  it('give every identity a state that operators know, and a sentence', () => {
    law(({ state, nextStep }) => {
      assert.ok(IDENTITY_STATES.includes(state));
      assert.match(nextStep.text, /^[A-Z].*\.$/);
    });
  });

  it('leave nothing to do for Healthy and Revoked, and for no other state', () => {
    law(({ state, nextStep }) => {
      assert.equal(nextStep.action === 'none', state === 'Healthy' || state === 'Revoked');
    });
  });

  it('send nobody to log in whose token no longer works', () => {
    law(({ state, nextStep }, { identity, now }) => {
      if (nextStep.action === 'agent-login') {
        assert.ok(identity.token.expiresAt.getTime() + 1000 > now.getTime());
        assert.equal(identity.delivery, 'agent');
        if (state !== 'WaitingForAdoption') assert.notEqual(identity.token.usesLeft, 0);
      }
    });
  });

  it('call nobody Healthy for whom the plan has work', () => {
    law(({ state }, { identity, now }) => {
      if (state !== 'Healthy') return;
      for (const kind of KINDS) assert.equal(isWorkDue(identity, kind, now), false, kind);
    });
  });

  it('tell nobody to wait for what will never come', () => {
    law(({ nextStep }, { identity, now }) => {
      if (nextStep.action !== 'wait') return;
      assert.equal(identity.delivery, 'vault');
      const comes = KINDS.some(
        (kind) =>
          isWorkDue(identity, kind, now) ||
          identity[kind].queuedAt !== null ||
          identity[kind].failure !== null,
      );
      // A first certificate is due from the identity's creation on, which a clock may still be behind of.
      const first = planCredential(identity, 'certificate', now);
      assert.ok(comes || (identity.certificate.head === null && first.dueAt > now));
    });
  });

  it('send an agent to renew what lives, to recover what has ended and can be, and no locked one anywhere', () => {
    law(({ state, nextStep }, { identity, held, now }) => {
      assert.equal(nextStep.action === 'operator-unlock', state === 'Locked');
      if (nextStep.action !== 'agent-renew' && nextStep.action !== 'agent-recover') return;
      assert.equal(identity.delivery, 'agent');
      assert.ok(held !== null && held.lockedInstance === null);
      const lives = held.head.notAfter.getTime() + 1000 > now.getTime();
      assert.equal(nextStep.action === 'agent-renew', lives);
      if (!lives) assert.ok(held.recovery.left > 0 && held.recovery.until !== null);
    });
  });

  it('name a route of the API, or none where there is nothing to call', () => {
    law(({ nextStep: { action, route } }) => {
      if (action === 'none' || action === 'wait') assert.equal(route, null);
      else assert.match(route ?? '', /^\/api\/[a-z]/);
    });
  });

  it('say expired of an end that has passed, and of no other', () => {
    law(({ state }, { identity, held, now }) => {
      if (state === 'Revoked' || state === 'Locked') return;
      const isOver = (end: Date | undefined) => end !== undefined && end.getTime() + 1000 <= now.getTime();
      const certificate = isOver(held?.head.notAfter);
      const isLoginNeeded = identity.delivery === 'agent' && (held === null || certificate);
      const isUsedUp = isLoginNeeded && identity.token.usesLeft === 0;
      const token = isOver(identity.token.expiresAt) || isUsedUp;
      assert.equal(state === 'BothExpired', certificate && token);
      assert.equal(state === 'CertificateExpired', certificate && !token);
      assert.equal(state === 'TokenExpired', !certificate && token);
    });
  });

  it('let a client stay off for whole days that do end before its last credential', () => {
    law((_, { identity, held, now }) => {
      const recovery = held?.recovery ?? NO_RECOVERY;
      const days = offlineDays(identity, held?.head ?? null, recovery, now);
      assert.ok(Number.isInteger(days) && days >= 0);
      if (days === 0) return;
      const ends = [identity.token.expiresAt, held?.head.notAfter, recovery.until];
      assert.ok(ends.some((end) => end != null && end.getTime() >= now.getTime() + days * 86_400_000));
    });
  });
});
