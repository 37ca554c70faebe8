import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Identity } from '../../../shared/domain/identity.ts';
import { NO_RECOVERY, offlineDays, recoveryOf } from '../../../shared/domain/offline-budget.ts';
import { after, buildHead, buildIdentity, ISSUED_AT } from '../../support/build-identity.ts';
import { buildLine } from '../../support/build-line.ts';
import { POLICY } from '../../support/memory-world.ts';

/** A token that outlives every certificate here, or one that ended at once. */
const LASTING = { tokenExpiryInSeconds: 365 * 86_400 };
const ENDED = { tokenExpiryInSeconds: 86_400 };
const UNTIL = after(120, -1);

const recovery = (days: number, changes: Parameters<typeof buildLine>[0] = {}) =>
  recoveryOf(buildLine(changes), POLICY, after(days));

describe('the recovery of a line', () => {
  it('is there for thirty days after its certificate’s end, the last second included', () => {
    assert.deepEqual(recovery(0), { left: 3, until: UNTIL });
    assert.deepEqual(recovery(100), { left: 3, until: UNTIL });
    const at = (ms: number) => recoveryOf(buildLine(), POLICY, new Date(UNTIL.getTime() + ms));
    assert.deepEqual(at(999), { left: 3, until: UNTIL });
    assert.deepEqual(at(1000), NO_RECOVERY);
  });

  it('is used up by three renewals in a row that came late', () => {
    assert.deepEqual(recovery(100, { recoveriesUsed: 2 }), { left: 1, until: UNTIL });
    assert.deepEqual(recovery(100, { recoveriesUsed: 3 }), NO_RECOVERY);
    assert.deepEqual(recovery(100, { recoveriesUsed: 4 }), NO_RECOVERY);
  });

  it('is nobody’s whose line is locked or revoked', () => {
    assert.deepEqual(recovery(1, { lockedAt: after(1) }), NO_RECOVERY);
    assert.deepEqual(recovery(1, { revokedAt: after(1) }), NO_RECOVERY);
  });
});

describe('the days that a client may stay off', () => {
  const vault = (identity: Identity, now: Date) =>
    offlineDays(identity, identity.certificate.head, NO_RECOVERY, now);

  it('are whole ones until its last credential ends', () => {
    assert.equal(vault(buildIdentity(), ISSUED_AT), 89);
    assert.equal(vault(buildIdentity(LASTING), ISSUED_AT), 364);
    assert.equal(vault(buildIdentity(ENDED), after(1)), 88);
    assert.equal(vault(buildIdentity({ certificate: { head: null } }), after(89)), 0);
  });

  it('are none after that, and none for a revoked identity', () => {
    assert.equal(vault(buildIdentity(), after(400)), 0);
    assert.equal(vault(buildIdentity({ revokedAt: ISSUED_AT }), ISSUED_AT), 0);
  });

  it('are more by what recovery leaves to an agent', () => {
    const agent = buildIdentity({ delivery: 'agent' });
    assert.equal(offlineDays(agent, buildHead(), recovery(0), ISSUED_AT), 119);
    assert.equal(offlineDays(agent, buildHead(), recovery(100), after(100)), 19);
  });

  it('are those of the token alone for a locked line, and none when that is gone too', () => {
    assert.equal(offlineDays(buildIdentity({ delivery: 'agent' }), null, NO_RECOVERY, after(50)), 39);
    assert.equal(
      offlineDays(buildIdentity({ delivery: 'agent', ...ENDED }), null, NO_RECOVERY, after(50)),
      0,
    );
  });

  it('do not count a token that the agent may not have been given yet', () => {
    const token = {
      generation: 4,
      handoverGeneration: 4,
      usedGeneration: 3,
      predecessorExpiresAt: after(60),
    };
    const handedOver = (changes: Partial<Identity['token']>, delivery: 'agent' | 'vault' = 'agent') =>
      offlineDays(buildIdentity({ delivery, token: { ...token, ...changes } }), null, NO_RECOVERY, after(50));
    assert.equal(handedOver({}), 10);
    assert.equal(handedOver({ predecessorExpiresAt: null }), 0);
    assert.equal(handedOver({ floorGeneration: 4 }), 0);
    assert.equal(handedOver({ usedGeneration: 4 }), 39);
    assert.equal(handedOver({}, 'vault'), 39);
  });
});
