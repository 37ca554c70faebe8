import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { judgeToken, type TokenVerdict, usesLeft } from '../../../shared/domain/token.ts';
import { moment } from '../../support/arbitrary-identity.ts';

const END = new Date('2027-02-18T23:59:59Z');
const BEFORE_END = new Date('2027-01-01T00:00:00Z');

interface Facts {
  readonly generation?: number;
  readonly usedGeneration?: number;
  readonly floorGeneration?: number;
  readonly revokedAt?: Date | null;
  readonly now?: Date;
  readonly maxUses?: number | null;
  readonly uses?: number;
}

function judge({
  generation = 0,
  usedGeneration = -1,
  floorGeneration = 0,
  revokedAt = null,
  now = BEFORE_END,
  maxUses = null,
  uses = 0,
}: Facts): TokenVerdict {
  return judgeToken(
    { generation, expiresAt: END, maxUses, uses },
    { revokedAt, token: { usedGeneration, floorGeneration } },
    now,
  );
}

const refusal = (code: 'Expired' | 'Revoked', reason: string) => ({ valid: false, code, reason });

describe('the verdict on a genuine token', () => {
  it('lets it in before its end', () => {
    assert.deepEqual(judge({}), { valid: true });
  });

  it('lets it in through the whole of its last second, and not after that', () => {
    assert.deepEqual(judge({ now: END }), { valid: true });
    assert.deepEqual(judge({ now: new Date(END.getTime() + 999) }), { valid: true });
    assert.deepEqual(judge({ now: new Date(END.getTime() + 1000) }), refusal('Expired', 'token-expired'));
  });

  it('lets a used token in again, as long as no later one was used', () => {
    assert.deepEqual(judge({ generation: 3, usedGeneration: 3 }), { valid: true });
  });

  it('lets nothing in that a cut-over has ended, used or not', () => {
    assert.deepEqual(judge({ generation: 4, floorGeneration: 5 }), refusal('Expired', 'token-superseded'));
    assert.deepEqual(judge({ generation: 5, floorGeneration: 5 }), { valid: true });
  });

  it('lets both in while the later one is unused', () => {
    assert.deepEqual(judge({ generation: 3, usedGeneration: 3 }), { valid: true });
    assert.deepEqual(judge({ generation: 4, usedGeneration: 3 }), { valid: true });
  });

  it('lets a token in as often as it is good for, and one without a number any number of times', () => {
    assert.deepEqual(judge({ maxUses: 2, uses: 1 }), { valid: true });
    assert.deepEqual(judge({ maxUses: 2, uses: 2 }), refusal('Expired', 'token-used-up'));
    assert.deepEqual(judge({ maxUses: null, uses: 1000 }), { valid: true });
  });

  it('names every other reason before that a token is used up, whose answers can still be repeated', () => {
    const usedUp = { maxUses: 1, uses: 1 };
    assert.deepEqual(judge({ ...usedUp, revokedAt: END }), refusal('Revoked', 'identity-revoked'));
    assert.deepEqual(judge({ ...usedUp, now: new Date('2028-01-01T00:00:00Z') }).valid, false);
    assert.deepEqual(judge({ ...usedUp, usedGeneration: 9 }), refusal('Expired', 'token-superseded'));
  });

  it('says Expired of every token earlier than the latest one used', () => {
    for (const generation of [0, 1, 2]) {
      assert.deepEqual(judge({ generation, usedGeneration: 3 }), refusal('Expired', 'token-superseded'));
    }
  });

  it('says Revoked of every token of a revoked identity, the expired and superseded ones too', () => {
    const revoked = refusal('Revoked', 'identity-revoked');
    assert.deepEqual(judge({ revokedAt: END }), revoked);
    assert.deepEqual(judge({ revokedAt: BEFORE_END, now: new Date('2028-01-01T00:00:00Z') }), revoked);
    assert.deepEqual(judge({ revokedAt: BEFORE_END, usedGeneration: 9 }), revoked);
  });

  it('never comes back to life: once refused, later moments and later uses refuse it as well', () => {
    const generation = fc.integer({ min: -1, max: 5 });
    fc.assert(
      fc.property(moment, moment, generation, generation, (a, b, used, moreUsed) => {
        const [first, then] = a <= b ? [a, b] : [b, a];
        const early = judge({ generation: 2, usedGeneration: Math.min(used, moreUsed), now: first });
        const late = judge({ generation: 2, usedGeneration: Math.max(used, moreUsed), now: then });
        assert.ok(early.valid || !late.valid);
      }),
    );
  });
});

describe('the logins that a token is still good for', () => {
  it('are any number without a limit, and never fewer than none', () => {
    assert.equal(usesLeft({ maxUses: null, uses: 7 }), null);
    assert.equal(usesLeft({ maxUses: 3, uses: 1 }), 2);
    assert.equal(usesLeft({ maxUses: 3, uses: 4 }), 0);
  });
});
