import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { toInstant } from '../../../shared/domain/instants.ts';
import { renewalWindow, spreadOf, validityFor } from '../../../shared/domain/policy.ts';
import { hexId, moment } from '../../support/arbitrary-identity.ts';

const NOON = new Date('2026-11-21T12:00:00.750Z');
const days = fc.integer({ min: 1, max: 3650 });
const isWhole = (date: Date) => date.getTime() % 1000 === 0;
const atSpread = (lastBits: string) => `ffffffffffffffffffffffff${lastBits}`;

describe('the validity of what is issued', () => {
  it('begins five minutes early and ends with the last second of its days', () => {
    const { issuedAt, notBefore, notAfter } = validityFor(NOON, 90);
    assert.equal(toInstant(issuedAt), '2026-11-21T12:00:00Z');
    assert.equal(toInstant(notBefore), '2026-11-21T11:55:00Z');
    assert.equal(toInstant(notAfter), '2027-02-19T11:59:59Z');
  });

  it('counts 86 400 seconds for every day, both ends included, and knows whole seconds alone', () => {
    fc.assert(
      fc.property(moment, days, (now, count) => {
        const { issuedAt, notBefore, notAfter } = validityFor(now, count);
        assert.ok([issuedAt, notBefore, notAfter].every(isWhole));
        // RFC 5280, 4.1.2.5: the second named by notAfter is a valid one, so it counts.
        assert.equal((notAfter.getTime() - issuedAt.getTime()) / 1000 + 1, count * 86_400);
        assert.ok(issuedAt <= now && now.getTime() - issuedAt.getTime() < 1000);
      }),
    );
  });

  it('is cut to a limit that comes first, and to none that comes later', () => {
    const full = validityFor(NOON, 90).notAfter;
    const before = new Date(full.getTime() - 1000);
    const behind = new Date(full.getTime() + 1000);
    assert.deepEqual(validityFor(NOON, 90, before).notAfter, before);
    assert.deepEqual(validityFor(NOON, 90, full).notAfter, full);
    assert.deepEqual(validityFor(NOON, 90, behind).notAfter, full);
  });
});

describe('the renewal window', () => {
  const { issuedAt, notAfter } = validityFor(NOON, 90);

  it('opens at 40 % and closes at 50 % of the life', () => {
    const { opensAt, closesAt } = renewalWindow(issuedAt, notAfter, atSpread('00000000'));
    // 90 days less one second: 36 days, and 45 days, each rounded down to the second before.
    assert.equal(toInstant(opensAt), '2026-12-27T11:59:59Z');
    assert.equal(toInstant(closesAt), '2027-01-05T11:59:59Z');
  });

  it('gives each id its own moment by its last 32 bits', () => {
    const momentOf = (lastBits: string) =>
      toInstant(renewalWindow(issuedAt, notAfter, atSpread(lastBits)).renewAfter);
    assert.equal(momentOf('00000000'), '2026-12-27T11:59:59Z');
    assert.equal(momentOf('80000000'), '2026-12-31T23:59:59Z');
    assert.equal(momentOf('ffffffff'), '2027-01-05T11:59:59Z');
  });

  it('holds every id’s moment, lies inside the life, and knows whole seconds alone', () => {
    fc.assert(
      fc.property(moment, days, hexId, (now, count, id) => {
        const life = validityFor(now, count);
        const { opensAt, closesAt, renewAfter } = renewalWindow(life.issuedAt, life.notAfter, id);
        assert.ok([opensAt, closesAt, renewAfter].every(isWhole));
        assert.ok(life.issuedAt < opensAt && opensAt <= renewAfter);
        assert.ok(renewAfter <= closesAt && closesAt < life.notAfter);
      }),
    );
  });

  it('is off by less than two seconds from the exact fractions', () => {
    fc.assert(
      fc.property(days, hexId, (count, id) => {
        const life = validityFor(NOON, count);
        const { renewAfter } = renewalWindow(life.issuedAt, life.notAfter, id);
        const exact =
          (life.notAfter.getTime() - life.issuedAt.getTime()) *
          (0.4 + (0.1 * Number(`0x${id.slice(24)}`)) / 2 ** 32);
        assert.ok(Math.abs(renewAfter.getTime() - life.issuedAt.getTime() - exact) < 2000);
      }),
    );
  });

  it('leaves half a life of 90 days to a node that is off', () => {
    const { closesAt } = renewalWindow(issuedAt, notAfter, atSpread('ffffffff'));
    assert.ok(notAfter.getTime() - closesAt.getTime() >= 45 * 86_400_000);
  });
});

describe('the spread of an id', () => {
  it('is a fraction from 0 up to, not including, 1', () => {
    assert.equal(spreadOf(atSpread('00000000')), 0);
    assert.equal(spreadOf(atSpread('40000000')), 0.25);
    assert.equal(spreadOf(atSpread('ffffffff')), 1 - 2 ** -32);
  });

  it('looks at the last 32 bits alone', () => {
    fc.assert(
      fc.property(hexId, hexId, (a, b) => {
        assert.equal(spreadOf(a.slice(0, 24) + b.slice(24)), spreadOf(b));
      }),
    );
  });
});
