import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  conditionOf,
  IDENTITY_STATES,
  type IdentityCondition,
} from '../../../shared/domain/identity-status.ts';
import { isWorkDue, planCredential } from '../../../shared/domain/renewal-plan.ts';
import { type Sample, sample } from '../../support/arbitrary-identity.ts';

const KINDS = ['certificate', 'token'] as const;

/** A law over every identity at any moment; a judgement that throws breaks each of them. */
function law(claim: (condition: IdentityCondition, sample: Sample) => void): void {
  fc.assert(
    fc.property(sample, (found) => claim(conditionOf(found.identity, found.head, found.now), found)),
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
    law(({ nextStep }, { identity, now }) => {
      if (nextStep.action === 'agent-login') {
        assert.ok(identity.token.expiresAt.getTime() + 1000 > now.getTime());
        assert.equal(identity.delivery, 'agent');
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

  it('say expired of an end that has passed, and of no other', () => {
    law(({ state }, { identity, head, now }) => {
      if (state === 'Revoked') return;
      const isOver = (end: Date | undefined) => end !== undefined && end.getTime() + 1000 <= now.getTime();
      const certificate = isOver(head?.notAfter);
      const token = isOver(identity.token.expiresAt);
      assert.equal(state === 'BothExpired', certificate && token);
      assert.equal(state === 'CertificateExpired', certificate && !token);
      assert.equal(state === 'TokenExpired', !certificate && token);
    });
  });

  it('let a client stay off for whole days that do end before its last credential', () => {
    law(({ offlineDays }, { identity, head, now }) => {
      assert.ok(Number.isInteger(offlineDays) && offlineDays >= 0);
      if (offlineDays === 0) return;
      const ends = [identity.token.expiresAt, ...(head === null ? [] : [head.notAfter])];
      assert.ok(ends.some((end) => end.getTime() >= now.getTime() + offlineDays * 86_400_000));
    });
  });
});
