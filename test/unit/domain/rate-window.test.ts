import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { addMs, HOUR_MS, MINUTE_MS } from '../../../shared/domain/instants.ts';
import {
  countIn,
  countOneMore,
  secondsUntilEnd,
  sharedWindow,
  type WindowCount,
} from '../../../shared/domain/rate-window.ts';

const AT = new Date('2026-11-21T08:00:30.500Z');

describe('a window that instances share', () => {
  it('begins at a whole multiple of its length', () => {
    assert.deepEqual(sharedWindow(AT, MINUTE_MS), new Date('2026-11-21T08:00:00Z'));
    assert.deepEqual(sharedWindow(AT, HOUR_MS), new Date('2026-11-21T08:00:00Z'));
    assert.deepEqual(
      sharedWindow(new Date('2026-11-21T08:01:00Z'), MINUTE_MS),
      new Date('2026-11-21T08:01:00Z'),
    );
  });

  it('ends in whole seconds, at least one, so that who waits them finds the next', () => {
    assert.equal(secondsUntilEnd(sharedWindow(AT, MINUTE_MS), AT, MINUTE_MS), 30);
    assert.equal(secondsUntilEnd(AT, AT, HOUR_MS), 3600);
    assert.equal(secondsUntilEnd(AT, addMs(AT, HOUR_MS), HOUR_MS), 1);
    fc.assert(
      fc.property(
        fc.date({ noInvalidDate: true, min: new Date('1970-01-01'), max: new Date('2200-01-01') }),
        (now) => {
          const window = sharedWindow(now, MINUTE_MS);
          const waited = addMs(now, secondsUntilEnd(window, now, MINUTE_MS) * 1000);
          assert.ok(sharedWindow(waited, MINUTE_MS) > window);
        },
      ),
    );
  });
});

describe('a count in a window', () => {
  it('is zero before anything was counted and when its window has ended', () => {
    const counted = { windowStart: AT, count: 7 };
    assert.equal(countIn(null, AT, HOUR_MS), 0);
    assert.equal(countIn(counted, addMs(AT, HOUR_MS - 1), HOUR_MS), 7);
    assert.equal(countIn(counted, addMs(AT, HOUR_MS), HOUR_MS), 0);
  });

  it('holds for a clock that is behind the one that began the window', () => {
    assert.equal(countIn({ windowStart: AT, count: 7 }, addMs(AT, -5_000), HOUR_MS), 7);
  });

  it('grows by one within its window, and begins again with the first one after it', () => {
    const first = countOneMore(null, AT, HOUR_MS);
    assert.deepEqual(first, { windowStart: AT, count: 1 });
    const later = addMs(AT, HOUR_MS - 1);
    assert.deepEqual(countOneMore(first, later, HOUR_MS), { windowStart: AT, count: 2 });
    const after = addMs(AT, HOUR_MS);
    assert.deepEqual(countOneMore(first, after, HOUR_MS), { windowStart: after, count: 1 });
  });

  it('lets no more through in any window than were counted, whatever the moments', () => {
    const moments = fc.array(fc.integer({ min: 0, max: 4 * HOUR_MS }), { maxLength: 60 });
    fc.assert(
      fc.property(moments, fc.integer({ min: 1, max: 5 }), (offsets, limit) => {
        let counted: WindowCount | null = null;
        const perWindow = new Map<number, number>();
        for (const offset of offsets.toSorted((a, b) => a - b)) {
          const now = addMs(AT, offset);
          if (countIn(counted, now, HOUR_MS) >= limit) continue;
          counted = countOneMore(counted, now, HOUR_MS);
          const start: number = counted.windowStart.getTime();
          perWindow.set(start, (perWindow.get(start) ?? 0) + 1);
        }
        assert.ok([...perWindow.values()].every((count) => count <= limit));
      }),
    );
  });
});
