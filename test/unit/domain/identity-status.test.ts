import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CertificateHead, Identity } from '../../../shared/domain/identity.ts';
import { conditionOf, type IdentityState } from '../../../shared/domain/identity-status.ts';
import { after, buildFailure, buildHead, buildIdentity, ISSUED_AT } from '../../support/build-identity.ts';

const DUE = after(40.5, -1);
const END = after(90, -1);
/** A token that outlives every certificate here, or one that ended at once. */
const LASTING = { tokenExpiryInSeconds: 365 * 86_400 };
const ENDED = { tokenExpiryInSeconds: 86_400 };

const vault = (identity: Identity, now: Date) => conditionOf(identity, identity.certificate.head, now);
const agent = (now: Date, changes: Partial<Identity> = {}, head: CertificateHead | null = buildHead()) =>
  conditionOf(buildIdentity({ delivery: 'agent', ...changes }), head, now);

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
  });

  it('is Healthy until its certificate is due, then it waits for the agent', () => {
    assert.equal(told(agent(new Date(DUE.getTime() - 1))), 'Healthy: none');
    assert.equal(told(agent(DUE)), 'WaitingForAgent: agent-login');
  });

  it('is expired when its certificate is, and the agent logs in with its token', () => {
    assert.equal(told(agent(after(100), LASTING)), 'CertificateExpired: agent-login');
  });

  it('needs an operator once its token has expired', () => {
    assert.equal(told(agent(after(2), ENDED)), 'TokenExpired: operator-rotate');
    assert.equal(told(agent(after(100))), 'BothExpired: operator-rotate');
    assert.equal(told(agent(after(2), ENDED, null)), 'TokenExpired: operator-rotate');
  });

  it('is Revoked before anything else', () => {
    assert.equal(told(agent(after(100), { revokedAt: after(1) })), 'Revoked: none');
  });
});

describe('the end of a credential', () => {
  it('is its last second, and that second is part of its life', () => {
    const atEnd = (ms: number) => told(agent(new Date(END.getTime() + ms)));
    assert.equal(atEnd(0), 'WaitingForAgent: agent-login');
    assert.equal(atEnd(999), 'WaitingForAgent: agent-login');
    assert.equal(atEnd(1000), 'BothExpired: operator-rotate');
  });
});

describe('the days that a client may stay off', () => {
  it('are whole ones until its last credential ends', () => {
    assert.equal(vault(buildIdentity(), ISSUED_AT).offlineDays, 89);
    assert.equal(vault(buildIdentity(LASTING), ISSUED_AT).offlineDays, 364);
    assert.equal(vault(buildIdentity(ENDED), after(1)).offlineDays, 88);
    assert.equal(vault(buildIdentity({ certificate: { head: null } }), after(89)).offlineDays, 0);
  });

  it('are none after that, and none for a revoked identity', () => {
    assert.equal(vault(buildIdentity(), after(400)).offlineDays, 0);
    assert.equal(vault(buildIdentity({ revokedAt: ISSUED_AT }), ISSUED_AT).offlineDays, 0);
  });
});
