import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { retryAt } from '../../../shared/domain/retry.ts';

const NOW = new Date('2026-11-21T00:00:00Z');
const MINUTE = 60_000;
const SIX_HOURS = 360 * MINUTE;
/** As near to 1 as a fraction of 32 random bits comes. */
const ALMOST_ONE = 1 - 2 ** -32;

const attempts = fc.integer({ min: 1, max: 10_000 });
const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

function waitMs(attempt: number, random: number, leftMs: number | null = null): number {
  const notAfter = leftMs === null ? null : new Date(NOW.getTime() + leftMs);
  return retryAt(NOW, attempt, notAfter, random).getTime() - NOW.getTime();
}

describe('the next try of a failed renewal', () => {
  it('waits at most a minute after the first failure, twice as long after each other, and never over six hours', () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1000].map(
      (attempt) => waitMs(attempt, ALMOST_ONE) + 1,
    );
    const minutes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360];
    assert.deepEqual(
      longest,
      minutes.map((count) => count * MINUTE),
    );
  });

  it('may come at once, because the jitter is full', () => {
    assert.equal(waitMs(7, 0), 0);
    assert.equal(waitMs(7, 0.5), 32 * MINUTE);
  });

  it('never waits longer than a quarter of what is left of the credential', () => {
    assert.equal(waitMs(12, ALMOST_ONE, 8 * MINUTE), 2 * MINUTE - 1);
    assert.equal(waitMs(12, ALMOST_ONE, 1), 0);
  });

  it('goes by the number of failures alone once the credential has ended', () => {
    assert.equal(waitMs(12, ALMOST_ONE, 0), SIX_HOURS - 1);
    assert.equal(waitMs(12, ALMOST_ONE, -86_400_000), SIX_HOURS - 1);
  });

  it('stays inside its bounds for any number of failures, any end and any chance', () => {
    const left = fc.option(fc.integer({ min: -400 * 86_400_000, max: 400 * 86_400_000 }), { nil: null });
    fc.assert(
      fc.property(attempts, fraction, left, (attempt, random, leftMs) => {
        const wait = waitMs(attempt, random, leftMs);
        assert.ok(Number.isInteger(wait) && wait >= 0 && wait < SIX_HOURS);
        if (leftMs !== null && leftMs > 0) assert.ok(wait <= leftMs / 4);
      }),
    );
  });

  it('comes no later when less of the credential is left', () => {
    const left = fc.integer({ min: 1, max: 90 * 86_400_000 });
    fc.assert(
      fc.property(attempts, fraction, left, left, (attempt, random, a, b) => {
        assert.ok(waitMs(attempt, random, Math.min(a, b)) <= waitMs(attempt, random, Math.max(a, b)));
      }),
    );
  });
});
