import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  addMs,
  DAY_MS,
  earlier,
  HOUR_MS,
  later,
  MINUTE_MS,
  SECOND_MS,
  toInstant,
  toMinute,
  wholeSecond,
} from '../../../shared/domain/instants.ts';

const anyDate = fc.date({ min: new Date(0), max: new Date('2199-12-31T23:59:59Z'), noInvalidDate: true });

describe('instants', () => {
  it('knows how many milliseconds a second, a minute, an hour and a day have', () => {
    assert.deepEqual([SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS], [1_000, 60_000, 3_600_000, 86_400_000]);
  });

  it('writes an instant in UTC to the whole second', () => {
    assert.equal(toInstant(new Date('2026-11-21T00:00:00.999Z')), '2026-11-21T00:00:00Z');
    assert.equal(toInstant(new Date('2026-11-21T01:30:00+02:00')), '2026-11-20T23:30:00Z');
  });

  it('refuses to write a date that is none', () => {
    assert.throws(() => toInstant(new Date(Number.NaN)), RangeError);
  });

  it('cuts a date down to its second, before 1970 as well', () => {
    assert.equal(wholeSecond(new Date(1_999)).getTime(), 1_000);
    assert.equal(wholeSecond(new Date(1_000)).getTime(), 1_000);
    assert.equal(wholeSecond(new Date(-1)).getTime(), -1_000);
  });

  it('writes the very second that it cuts to, for any date', () => {
    fc.assert(
      fc.property(anyDate, (date) => {
        assert.equal(Date.parse(toInstant(date)), wholeSecond(date).getTime());
      }),
    );
  });

  it('moves a date without changing it', () => {
    const date = new Date(0);
    assert.equal(addMs(date, -MINUTE_MS).getTime(), -60_000);
    assert.equal(date.getTime(), 0);
  });

  it('writes minutes that sort as their moments do', () => {
    assert.equal(toMinute(new Date('2026-11-21T08:05:59.999Z')), '202611210805');
  });

  it('finds the earlier and the later of two dates, whatever their order', () => {
    fc.assert(
      fc.property(anyDate, anyDate, (a, b) => {
        assert.equal(earlier(a, b).getTime(), Math.min(a.getTime(), b.getTime()));
        assert.equal(later(a, b).getTime(), Math.max(a.getTime(), b.getTime()));
      }),
    );
  });
});
