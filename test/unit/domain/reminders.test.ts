import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { nextReminderAt } from '../../../shared/domain/reminders.ts';
import { isLeftToOthers, planCredential } from '../../../shared/domain/renewal-plan.ts';
import { moment, sample } from '../../support/arbitrary-identity.ts';
import { after, buildHead, buildIdentity } from '../../support/build-identity.ts';

const agent = buildIdentity({ delivery: 'agent', certificate: { head: buildHead() } });
const KINDS = ['certificate', 'token'] as const;
const END = after(90, -1);

describe('who is reminded', () => {
  test('agents of both their credentials, and operators of tokens where autoRotate is off', () => {
    const of = (identity: typeof agent) => KINDS.map((kind) => isLeftToOthers(identity, kind));
    assert.deepEqual(of(agent), [true, true]);
    assert.deepEqual(of({ ...agent, autoRotate: true }), [true, true]);
    assert.deepEqual(of(buildIdentity()), [false, false]);
    assert.deepEqual(of(buildIdentity({ autoRotate: false })), [false, true]);
  });

  test('nobody of a token that only waits for its way into the vault, or that an operator has asked for', () => {
    for (const token of [{ vaultVersion: null }, { forcedAt: after(1) }]) {
      assert.equal(isLeftToOthers(buildIdentity({ autoRotate: false, token }), 'token'), false);
    }
  });
});

describe('the reminders of a credential', () => {
  test('come again when its window closes, and daily from then on', () => {
    for (const kind of KINDS) {
      const closesAt = planCredential(agent, kind, after(0)).windowClosesAt;
      assert.deepEqual(nextReminderAt(agent, kind, after(41)), closesAt);
      assert.deepEqual(nextReminderAt(agent, kind, after(45)), after(46));
      assert.deepEqual(nextReminderAt(agent, kind, after(60)), after(61));
    }
  });

  test('tell of its end as soon as it has passed, and weekly from then on', () => {
    assert.deepEqual(nextReminderAt(agent, 'certificate', after(89.5)), after(90));
    for (const ms of [0, 999]) {
      const lastSecond = new Date(END.getTime() + ms);
      assert.deepEqual(nextReminderAt(agent, 'certificate', lastSecond), after(90));
    }
    assert.deepEqual(nextReminderAt(agent, 'certificate', after(90)), after(97));
  });

  test('come daily for what an operator asked for, wherever its window is', () => {
    const head = buildHead();
    const asked = buildIdentity({ delivery: 'agent', certificate: { head, forcedAt: after(2) } });
    assert.deepEqual(nextReminderAt(asked, 'certificate', after(2)), after(3));
  });

  test('do not come for a certificate that an agent never asked for', () => {
    assert.equal(nextReminderAt(buildIdentity({ delivery: 'agent' }), 'certificate', after(50)), null);
  });

  test('always lie ahead, and never come sooner for coming later', () => {
    fc.assert(
      fc.property(sample, fc.constantFrom(...KINDS), moment, ({ identity, now }, kind, other) => {
        const next = nextReminderAt(identity, kind, now);
        if (next === null) return;
        assert.ok(next > now);
        const afterOther = nextReminderAt(identity, kind, other);
        assert.ok(afterOther !== null);
        assert.equal(other > now ? afterOther >= next : next >= afterOther, true);
      }),
    );
  });
});
