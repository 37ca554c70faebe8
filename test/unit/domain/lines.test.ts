import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Instance } from '../../../shared/domain/instance.ts';
import { latestOf, sumUpLines } from '../../../shared/domain/lines.ts';
import type { RevocationReason } from '../../../shared/domain/revocation.ts';
import { after, buildHead, buildIdentity } from '../../support/build-identity.ts';
import { buildLine } from '../../support/build-line.ts';

const NOW = after(100);
const agent = buildIdentity({ delivery: 'agent' });
const line = (id: string, day: number, days = 90, changes: Parameters<typeof buildLine>[0] = {}) =>
  buildLine({ id, head: buildHead({ issuedAt: after(day), days }), ...changes });
const sum = (...lines: ReturnType<typeof line>[]) => {
  const { count, shown, held } = sumUpLines(agent, lines, [], NOW);
  return { ...count, shown: shown?.id ?? null, held: held?.id ?? null };
};
const revocation = (serialNumber: string, reason: RevocationReason, spkiHash: string) => ({
  ...({ v: 1, identity: agent, instance: 'any', authorityId: 'a1', notAfter: NOW, revokedAt: NOW } as const),
  ...{ serialNumber, reason, spkiHash },
});

describe('the lines of an identity', () => {
  test('are none before its first login', () => {
    assert.deepEqual(sum(), { live: 0, locked: 0, shown: null, held: null });
  });

  test('show the live one that ends last, and are judged by the one that was given a certificate last', () => {
    const lines = [line('long', 20, 365), line('late', 50), line('ended', 0)];
    assert.deepEqual(sum(...lines), { live: 2, locked: 0, shown: 'long', held: 'late' });
  });

  test('are judged by one that lives where the newest has ended, and by the newest where none lives', () => {
    assert.deepEqual(sum(line('short', 60, 7), line('old', 30)), {
      live: 1,
      locked: 0,
      shown: 'old',
      held: 'old',
    });
    assert.deepEqual(sum(line('first', 0), line('second', 3, 7)), {
      live: 0,
      locked: 0,
      shown: 'first',
      held: 'second',
    });
  });

  test('are judged by the one whose certificate the record has, where two were given theirs in the same second', () => {
    const twin = (id: string) =>
      line(id, 50, 90, { head: buildHead({ issuedAt: after(50), serialNumber: id }) });
    const lines = [twin('0a'), twin('0b')];
    for (const serialNumber of ['0a', '0b']) {
      const identity = buildIdentity({
        delivery: 'agent',
        certificate: { head: buildHead({ serialNumber }) },
      });
      assert.equal(sumUpLines(identity, lines, [], NOW).held?.id, serialNumber);
    }
  });

  test('live by a successor that nobody has proven yet', () => {
    const successor = { ...buildHead({ issuedAt: after(40) }), spkiHash: 'cd'.repeat(32) };
    assert.deepEqual(sum(line('renewed', 0, 90, { successor })), {
      live: 1,
      locked: 0,
      shown: 'renewed',
      held: 'renewed',
    });
  });

  test('that are locked do not live, and the newest one is held to be the identity’s', () => {
    const locked = line('locked', 50, 90, { lockedAt: after(60) });
    assert.deepEqual(sum(line('other', 30), locked), { live: 1, locked: 1, shown: 'other', held: 'locked' });
    assert.deepEqual(sum(line('other', 70), locked), { live: 1, locked: 1, shown: 'other', held: 'other' });
    assert.deepEqual(sum(locked), { live: 0, locked: 1, shown: 'locked', held: 'locked' });
  });

  test('that are revoked, or were another incarnation’s, do not count', () => {
    const revoked = line('revoked', 50, 90, { revokedAt: after(60), lockedAt: after(55) });
    const earlier = line('earlier', 50, 90, { incarnation: 0 });
    assert.deepEqual(sum(revoked, earlier), { live: 0, locked: 0, shown: null, held: null });
  });

  test('live by those of their certificates that are not revoked, and die with the last', () => {
    const [head, next, keys] = ['0a', '0b', ['aa'.repeat(32), 'bb'.repeat(32)] as const];
    const successor = { ...buildHead({ issuedAt: after(60), serialNumber: next }), spkiHash: keys[1] };
    const renewed = line('renewed', 30, 90, {
      ...{ head: buildHead({ issuedAt: after(30), serialNumber: head }), spkiHash: keys[0] },
      ...{ successor, provenAt: after(31) },
    });
    const left = (lines: readonly Instance[], ...revocations: ReturnType<typeof revocation>[]) => {
      const { count, shown, held } = sumUpLines(agent, lines, revocations, NOW);
      const shownHead = shown && [shown.head.serialNumber, shown.provenAt, shown.spkiHash];
      return [count.live, shownHead, held && latestOf(held).serialNumber];
    };
    const [headGone, nextGone] = [
      revocation(head, 'superseded', keys[0]),
      revocation(next, 'superseded', keys[1]),
    ];
    const byHead = [head, after(31), keys[0]];
    assert.deepEqual(left([renewed], nextGone), [1, byHead, head]);
    assert.deepEqual(left([renewed], headGone), [1, [next, null, keys[1]], next]);
    assert.deepEqual(left([renewed], headGone, nextGone), [0, null, null]);
    assert.deepEqual(left([renewed], revocation('0c', 'keyCompromise', keys[1])), [1, byHead, head]);
    assert.deepEqual(left([renewed], revocation('0c', 'superseded', keys[1])), [1, byHead, next]);
    const locked = { ...renewed, lockedAt: after(61) };
    assert.equal(sumUpLines(agent, [locked], [headGone, nextGone], NOW).count.locked, 1);
  });
});
