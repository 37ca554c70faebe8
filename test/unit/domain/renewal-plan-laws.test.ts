import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Identity } from '../../../shared/domain/identity.ts';
import { isWorkDue, type PlanEntry, planCredential } from '../../../shared/domain/renewal-plan.ts';
import { hexId, moment, type Sample, sample, vaultSample } from '../../support/arbitrary-identity.ts';
import { buildHead, buildIdentity } from '../../support/build-identity.ts';

const kind = fc.constantFrom('certificate' as const, 'token' as const);
const validityDays = fc.integer({ min: 1, max: 365 });
const RUNS = { numRuns: 400 };

/** A law over every identity, both of its credentials, and any moment. */
function law(claim: (entry: PlanEntry, sample: Sample) => void): void {
  fc.assert(
    fc.property(sample, kind, (found, ofKind) => {
      claim(planCredential(found.identity, ofKind, found.now), found);
    }),
    RUNS,
  );
}

describe('the laws of the plan', () => {
  it('leave nothing alone that is due, unless its identity is revoked', () => {
    law((entry, { identity, now }) => {
      const isDue = entry.dueAt <= now;
      assert.equal(entry.action === 'none', !isDue || identity.revokedAt !== null);
    });
  });

  it('say NotDue of what is due later, and of nothing else', () => {
    law((entry, { identity, now }) => {
      const isLater = entry.dueAt > now && identity.revokedAt === null;
      assert.equal(entry.reason === 'NotDue', isLater);
      assert.equal(entry.reason === 'Revoked', identity.revokedAt !== null);
    });
  });

  it('have Everleaf itself act on vault-delivered credentials alone', () => {
    law((entry, { identity }) => {
      const acts = entry.action === 'renew' || entry.action === 'rotate';
      if (acts) assert.equal(identity.delivery, 'vault');
      if (entry.action === 'request') assert.equal(identity.delivery, 'agent');
      if (acts) assert.equal(entry.action, entry.kind === 'certificate' ? 'renew' : 'rotate');
    });
  });

  it('say InWindow in the window alone', () => {
    law(({ reason, windowOpensAt, windowClosesAt }, { now }) => {
      if (reason !== 'InWindow') return;
      assert.ok(windowOpensAt !== null && windowClosesAt !== null);
      assert.ok(windowOpensAt <= now && now <= windowClosesAt);
    });
  });

  it('keep due what is due, as long as nobody does anything about it', () => {
    fc.assert(
      fc.property(sample, kind, fc.nat(400 * 86_400_000), ({ identity, now }, ofKind, laterByMs) => {
        const later = new Date(now.getTime() + laterByMs);
        const first = planCredential(identity, ofKind, now);
        const second = planCredential(identity, ofKind, later);
        if (first.action !== 'none') assert.equal(second.action, first.action);
        assert.deepEqual(second.dueAt, first.dueAt);
      }),
      RUNS,
    );
  });

  it('make a worker go on wherever the plan acts, so that no message is dropped that the scan sent', () => {
    fc.assert(
      fc.property(vaultSample, kind, ({ identity, now }, ofKind) => {
        // A try is only ever waited for by a credential that was due when it failed.
        const { failure } = identity[ofKind];
        fc.pre(failure === null);
        const { action } = planCredential(identity, ofKind, now);
        assert.equal(isWorkDue(identity, ofKind, now), action === 'renew' || action === 'rotate');
      }),
      RUNS,
    );
  });

  it('depend on the record and the moment alone, and leave the record as it is', () => {
    fc.assert(
      fc.property(sample, kind, ({ identity, now }, ofKind) => {
        const before = structuredClone(identity);
        assert.deepEqual(
          planCredential(identity, ofKind, now),
          planCredential(structuredClone(identity), ofKind, now),
        );
        assert.deepEqual(identity, before);
      }),
      RUNS,
    );
  });
});

/** What a renewal at `now` leaves behind: another credential, delivered, with nothing failing. */
function renewed(old: Identity, now: Date, days: number, id: string): Identity {
  return buildIdentity({
    ...old,
    tokenExpiryInSeconds: days * 86_400,
    certificate: { head: buildHead({ issuedAt: wholeSecondOf(now), days, serialNumber: id }) },
    token: { id, issuedAt: wholeSecondOf(now) },
  });
}

const wholeSecondOf = (date: Date) => new Date(Math.floor(date.getTime() / 1000) * 1000);

describe('a renewal, whenever it happens', () => {
  it('moves the next one to a later moment, and leaves nothing to do now', () => {
    fc.assert(
      fc.property(moment, validityDays, hexId, validityDays, hexId, kind, fc.nat(1000), (...facts) => {
        const [start, days, id, nextDays, nextId, ofKind, perMille] = facts;
        const old = renewed(buildIdentity(), start, days, id);
        const { dueAt } = planCredential(old, ofKind, start);
        const end = ofKind === 'certificate' ? old.certificate.head?.notAfter : old.token.expiresAt;
        assert.ok(end !== undefined);
        const now = new Date(dueAt.getTime() + ((end.getTime() - dueAt.getTime()) * perMille) / 1000);
        assert.notEqual(planCredential(old, ofKind, now).action, 'none');
        const next = planCredential(renewed(old, now, nextDays, nextId), ofKind, now);
        assert.equal(next.reason, 'NotDue');
        assert.ok(next.dueAt > now && next.dueAt > dueAt);
      }),
      RUNS,
    );
  });

  it('comes at least half a life before the end when it comes in time', () => {
    fc.assert(
      fc.property(moment, validityDays, hexId, (start, days, id) => {
        const { dueAt } = planCredential(renewed(buildIdentity(), start, days, id), 'certificate', start);
        const issuedAt = wholeSecondOf(start).getTime();
        assert.ok(dueAt.getTime() - issuedAt <= (days * 86_400_000) / 2);
      }),
      RUNS,
    );
  });
});
