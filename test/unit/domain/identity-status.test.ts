import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Identity } from '../../../shared/domain/identity.ts';
import {
  conditionOf,
  type HeldCertificate,
  heldByLines,
  heldByRecord,
  type IdentityState,
  needsLines,
} from '../../../shared/domain/identity-status.ts';
import { withLock } from '../../../shared/domain/instance.ts';
import { NO_RECOVERY } from '../../../shared/domain/offline-budget.ts';
import {
  after,
  buildFailure,
  buildHead,
  buildIdentity,
  type IdentityChanges,
  ISSUED_AT,
} from '../../support/build-identity.ts';
import { buildLine } from '../../support/build-line.ts';
import { POLICY } from '../../support/memory-world.ts';

const DUE = after(40.5, -1);
const END = after(90, -1);
/** A token that outlives every certificate here, or one that ended at once. */
const LASTING = { tokenExpiryInSeconds: 365 * 86_400 };
const ENDED = { tokenExpiryInSeconds: 86_400 };

const vault = (identity: Identity, now: Date) => conditionOf(identity, heldByRecord(identity), now);
/** An agent that holds a certificate of ISSUED_AT, of which nothing can be recovered. */
const agent = (now: Date, changes: IdentityChanges = {}, held: Partial<HeldCertificate> | null = {}) => {
  const head = held === null ? null : (held.head ?? buildHead());
  const identity = buildIdentity({
    delivery: 'agent',
    ...changes,
    certificate: { head, ...changes.certificate },
  });
  return conditionOf(identity, held && { ...heldOf(identity), ...held }, now);
};

function heldOf(identity: Identity): HeldCertificate {
  const held = heldByRecord(identity);
  assert.ok(held !== null);
  return held;
}

/** State and next action of a condition, as one text. */
function told({ state, nextStep }: ReturnType<typeof conditionOf>): `${IdentityState}: ${string}` {
  return `${state}: ${nextStep.action}`;
}

describe('the state of a vault-delivered identity', () => {
  it('is Pending until its first certificate is made', () => {
    assert.equal(told(vault(buildIdentity({ certificate: { head: null } }), ISSUED_AT)), 'Pending: wait');
  });

  it('is Healthy until one of its credentials is due', () => {
    const kms = buildIdentity();
    assert.equal(told(vault(kms, new Date(DUE.getTime() - 1))), 'Healthy: none');
    assert.equal(told(vault(kms, DUE)), 'Due: wait');
    assert.equal(told(vault(buildIdentity(LASTING), DUE)), 'Due: wait');
    assert.equal(told(vault(buildIdentity({ tokenExpiryInSeconds: 50 * 86_400 }), after(25))), 'Due: wait');
  });

  it('is Due while the vault lacks its token, because without it the client cannot log in', () => {
    assert.equal(told(vault(buildIdentity({ token: { vaultVersion: null } }), ISSUED_AT)), 'Due: wait');
  });

  it('is Working while a message for one of its credentials is under way', () => {
    assert.equal(told(vault(buildIdentity({ certificate: { queuedAt: DUE } }), DUE)), 'Working: wait');
    assert.equal(told(vault(buildIdentity({ token: { queuedAt: DUE } }), DUE)), 'Working: wait');
  });

  it('is Retrying after a failure, and says what failed, when, and when the next try is', () => {
    const failure = buildFailure(DUE, { attempts: 3, code: 'VaultAccessDenied' });
    for (const kind of ['certificate', 'token'] as const) {
      const condition = vault(buildIdentity({ [kind]: { failure } }), DUE);
      assert.equal(told(condition), 'Retrying: wait');
      assert.match(
        condition.nextStep.text,
        /failed 3 time\(s\), last with VaultAccessDenied at 2026-12-31T11:59:59Z/,
      );
      assert.match(condition.nextStep.text, /next try is due at 2026-12-31T12:00:59Z/);
      assert.match(condition.nextStep.text, /management\/KMS/);
    }
  });

  it('is expired when a credential is, and Everleaf goes on trying', () => {
    const late = after(100);
    assert.equal(told(vault(buildIdentity(LASTING), late)), 'CertificateExpired: wait');
    assert.equal(told(vault(buildIdentity(ENDED), after(2))), 'TokenExpired: wait');
    assert.equal(told(vault(buildIdentity(), late)), 'BothExpired: wait');
    const failing = buildIdentity({ certificate: { failure: buildFailure(late) } });
    assert.match(vault(failing, late).nextStep.text, /Renewal failed 1 time/);
  });

  it('needs an operator for its token when autoRotate is off', () => {
    const manual = buildIdentity({ autoRotate: false });
    assert.equal(told(vault(manual, new Date(DUE.getTime() - 1))), 'Healthy: none');
    assert.equal(
      told(vault(buildIdentity({ autoRotate: false, certificate: { head: buildHead({ days: 365 }) } }), DUE)),
      'Due: operator-rotate',
    );
    assert.equal(told(vault(manual, after(100))), 'BothExpired: operator-rotate');
    assert.equal(
      told(vault(buildIdentity({ autoRotate: false, ...ENDED }), after(2))),
      'TokenExpired: operator-rotate',
    );
    assert.equal(
      told(vault(buildIdentity({ autoRotate: false, ...LASTING }), after(100))),
      'CertificateExpired: wait',
    );
  });

  it('is Revoked before anything else', () => {
    const revoked = { revokedAt: after(1) };
    assert.equal(told(vault(buildIdentity(revoked), after(400))), 'Revoked: none');
    assert.equal(
      told(vault(buildIdentity({ ...revoked, certificate: { head: null } }), after(2))),
      'Revoked: none',
    );
  });
});

describe('the state of an agent-delivered identity', () => {
  it('is Pending until the agent logs in for the first time', () => {
    const condition = agent(ISSUED_AT, {}, null);
    assert.equal(told(condition), 'Pending: agent-login');
    assert.equal(condition.nextStep.route, '/api/login');
    assert.match(condition.nextStep.text, /has never logged in/);
    assert.match(agent(after(2), { lastSeenAt: after(1) }, null).nextStep.text, /no certificate in force/);
  });

  it('is Healthy until its certificate is due, then it waits for the agent to renew', () => {
    assert.equal(told(agent(new Date(DUE.getTime() - 1))), 'Healthy: none');
    const condition = agent(DUE);
    assert.equal(told(condition), 'WaitingForAgent: agent-renew');
    assert.equal(condition.nextStep.route, '/api/certificates/renew');
    assert.equal(
      told(agent(after(2), { certificate: { forcedAt: after(1) } })),
      'WaitingForAgent: agent-renew',
    );
  });

  it('waits for the agent to rotate its token, and is healthy where autoRotate is off, which only reminds', () => {
    const head = buildHead({ days: 365 });
    const asked = agent(DUE, { autoRotate: true }, { head });
    assert.equal(told(asked), 'WaitingForAgent: agent-renew');
    assert.equal(asked.nextStep.route, '/api/token/rotate');
    assert.equal(told(agent(DUE, {}, { head })), 'Healthy: none');
  });

  it('waits for the adoption of a token that an operator has to hand over', () => {
    const token = { generation: 4, handoverGeneration: 4, usedGeneration: 3 };
    assert.equal(told(agent(after(1), { token })), 'WaitingForAdoption: agent-login');
    assert.equal(told(agent(after(1), { token: { ...token, usedGeneration: 4 } })), 'Healthy: none');
    assert.equal(told(agent(after(1), { token: { ...token, generation: 5 } })), 'Healthy: none');
    assert.match(
      agent(after(100), { token, ...LASTING }, { recovery: NO_RECOVERY }).nextStep.text,
      /login file/,
    );
  });

  it('is expired when its certificate is: the agent recovers as long as it can, then it logs in', () => {
    const condition = agent(after(100), LASTING, { recovery: { left: 2, until: after(120) } });
    assert.equal(told(condition), 'CertificateExpired: agent-recover');
    assert.match(condition.nextStep.text, /until 2027-03-21T00:00:00Z, 2 more time\(s\)/);
    assert.equal(told(agent(after(100), LASTING)), 'CertificateExpired: agent-login');
  });

  it('needs an operator once its token has expired and nothing is left to recover', () => {
    const condition = agent(after(2), ENDED);
    assert.equal(told(condition), 'TokenExpired: operator-rotate');
    assert.equal(condition.nextStep.route, '/api/clusters/management/identities/KMS/rotate');
    assert.equal(told(agent(after(100))), 'BothExpired: operator-rotate');
    assert.equal(
      told(agent(after(100), {}, { recovery: { left: 3, until: after(120) } })),
      'BothExpired: agent-recover',
    );
    assert.equal(told(agent(after(2), ENDED, null)), 'TokenExpired: operator-rotate');
  });

  it('is Locked when the line is that was given a certificate last, whatever has ended', () => {
    for (const days of [1, 50, 100]) {
      const condition = agent(after(days), {}, { lockedInstance: 'ab12' });
      assert.equal(told(condition), 'Locked: operator-unlock');
      assert.equal(condition.nextStep.route, '/api/clusters/management/identities/KMS/instances/ab12/unlock');
    }
  });

  it('is Revoked before anything else', () => {
    assert.equal(
      told(agent(after(100), { revokedAt: after(1) }, { lockedInstance: 'ab12' })),
      'Revoked: none',
    );
  });
});

describe('what is read beside the record', () => {
  const needs = (changes: IdentityChanges, now = after(1)) =>
    needsLines(buildIdentity({ delivery: 'agent', certificate: { head: buildHead() }, ...changes }), now);

  it('is nothing while the record has a certificate that lives, and for all that only the vault holds', () => {
    assert.equal(needs({}), false);
    assert.equal(needs({ certificate: { head: null } }), false);
    assert.equal(needs({ delivery: 'vault', lockedInstances: 1 }, after(100)), false);
    assert.equal(needs({ revokedAt: after(1), lockedInstances: 1 }, after(100)), false);
  });

  it('is the lines where one is locked, or the certificate given last has ended or is not in the record', () => {
    assert.equal(needs({ lockedInstances: 1 }), true);
    assert.equal(needs({}, after(100)), true);
    assert.equal(needs({ certificate: { head: null }, lastSeenAt: after(1) }), true);
  });

  it('says what an agent holds: its newest certificate, the lock, and what recovery leaves', () => {
    const successor = { ...buildHead({ issuedAt: after(40) }), spkiHash: 'cd'.repeat(32) };
    assert.equal(heldByLines({ held: null, locked: null }, POLICY, after(1)), null);
    assert.equal(
      heldByLines({ held: buildLine({ successor }), locked: null }, POLICY, after(41))?.head,
      successor,
    );
    const line = buildLine({ lockedAt: after(1) });
    const other = buildLine({ id: '22'.repeat(16) });
    assert.deepEqual(heldByLines({ held: line, locked: line }, POLICY, after(2)), {
      ...{ head: buildHead(), lockedInstance: line.id, lockedBeside: null, recovery: NO_RECOVERY },
    });
    assert.equal(heldByLines({ held: other, locked: line }, POLICY, after(2))?.lockedBeside, line.id);
  });
});

describe('the count of locked instances', () => {
  it('goes up and down with them, and never below none', () => {
    const locked = withLock(buildIdentity({ delivery: 'agent' }), 1);
    assert.equal(locked.lockedInstances, 1);
    assert.equal(withLock(withLock(locked, -1), -1).lockedInstances, 0);
  });
});

describe('the end of a credential', () => {
  it('is its last second, and that second is part of its life', () => {
    const atEnd = (ms: number) => told(agent(new Date(END.getTime() + ms)));
    assert.equal(atEnd(0), 'WaitingForAgent: agent-renew');
    assert.equal(atEnd(999), 'WaitingForAgent: agent-renew');
    assert.equal(atEnd(1000), 'BothExpired: operator-rotate');
  });
});
