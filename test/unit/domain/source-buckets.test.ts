import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SourceBuckets } from '../../../shared/domain/source-buckets.ts';

const WINDOW = new Date('2026-11-21T08:00:00Z');
const NEXT = new Date('2026-11-21T08:01:00Z');

describe('what an instance remembers of sources', () => {
  it('is nothing at first, and nothing in the next window', () => {
    const buckets = new SourceBuckets();
    assert.equal(buckets.failures('a', WINDOW), null);
    assert.equal(buckets.countFailure('a', WINDOW), 1);
    assert.equal(buckets.countFailure('a', WINDOW), 2);
    assert.equal(buckets.failures('a', WINDOW), 2);
    assert.equal(buckets.failures('b', WINDOW), null);
    assert.equal(buckets.failures('a', NEXT), null);
    assert.equal(buckets.countFailure('a', NEXT), 1);
    assert.equal(buckets.size, 1);
  });

  it('takes over what the store knows more, and never what it knows less', () => {
    const buckets = new SourceBuckets();
    buckets.learn('a', WINDOW, 0);
    assert.equal(buckets.failures('a', WINDOW), 0);
    buckets.learn('a', WINDOW, 9);
    assert.equal(buckets.countFailure('a', WINDOW), 10);
    buckets.learn('a', WINDOW, 3);
    assert.equal(buckets.failures('a', WINDOW), 10);
  });

  it('is bounded: the source that was looked at first goes first', () => {
    const buckets = new SourceBuckets(3);
    for (const source of ['a', 'b', 'c']) buckets.countFailure(source, WINDOW);
    // Seen again in another window, so it is the youngest now.
    buckets.countFailure('a', NEXT);
    buckets.countFailure('d', NEXT);
    assert.equal(buckets.size, 3);
    assert.equal(buckets.failures('b', WINDOW), null);
    assert.equal(buckets.failures('c', WINDOW), 1);
    assert.equal(buckets.failures('a', NEXT), 1);
  });

  it('writes calls that are turned away down at each doubling, at least half of them at any time', () => {
    const buckets = new SourceBuckets();
    let written = 0;
    let writes = 0;
    for (let calls = 1; calls <= 1000; calls++) {
      const count = buckets.countTurnedAway('a', WINDOW);
      written += count;
      if (count > 0) writes += 1;
      assert.ok(written <= calls && written >= calls / 2, `${written} of ${calls}`);
    }
    assert.equal(writes, 10);
    assert.equal(buckets.countTurnedAway('a', NEXT), 1);
  });
});
