import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isWorkDue, type PlanEntry, planCredential } from '../../../shared/domain/renewal-plan.ts';
import { after, buildFailure, buildHead, buildIdentity, ISSUED_AT } from '../../support/build-identity.ts';

/** The builders' credentials live 90 days less a second, and their ids lie in the middle of the window. */
const OPENS = after(36, -1);
const DUE = after(40.5, -1);
const CLOSES = after(45, -1);
const justAfter = (date: Date) => new Date(date.getTime() + 1);
const justBefore = (date: Date) => new Date(date.getTime() - 1);

const verdict = ({ action, reason }: PlanEntry) => `${action} ${reason}`;

describe('the plan for a vault-delivered credential', () => {
  const kms = buildIdentity();

  it('names the identity, its window, its moment and its generation', () => {
    for (const kind of ['certificate', 'token'] as const) {
      assert.deepEqual(planCredential(kms, kind, ISSUED_AT), {
        target: { cluster: 'management', name: 'KMS' },
        kind,
        action: 'none',
        reason: 'NotDue',
        dueAt: DUE,
        windowOpensAt: OPENS,
        windowClosesAt: CLOSES,
        generation: 1,
        text: `none ${kind} of management/KMS: due at 2026-12-31T11:59:59Z`,
      });
    }
  });

  it('does nothing until the very moment, not even in the open window', () => {
    assert.equal(verdict(planCredential(kms, 'certificate', justBefore(DUE))), 'none NotDue');
    assert.equal(verdict(planCredential(kms, 'token', justBefore(DUE))), 'none NotDue');
  });

  it('renews and rotates from the very moment on', () => {
    const entry = planCredential(kms, 'certificate', DUE);
    assert.equal(verdict(entry), 'renew InWindow');
    assert.equal(entry.text, 'renew certificate of management/KMS: it ends at 2027-02-18T23:59:59Z');
    assert.equal(verdict(planCredential(kms, 'token', DUE)), 'rotate InWindow');
  });

  it('is overdue once the window has closed, and after the end as well', () => {
    assert.equal(verdict(planCredential(kms, 'certificate', CLOSES)), 'renew InWindow');
    assert.equal(verdict(planCredential(kms, 'certificate', justAfter(CLOSES))), 'renew Overdue');
    assert.equal(verdict(planCredential(kms, 'token', after(400))), 'rotate Overdue');
  });

  it('wants a first certificate from the identity’s creation on', () => {
    const entry = planCredential(buildIdentity({ certificate: { head: null } }), 'certificate', ISSUED_AT);
    assert.equal(verdict(entry), 'renew Overdue');
    assert.deepEqual([entry.dueAt, entry.windowOpensAt, entry.windowClosesAt], [ISSUED_AT, null, null]);
    assert.match(entry.text, /there is none yet$/);
  });

  it('delivers a token that the vault does not hold since the token was made', () => {
    const undelivered = buildIdentity({ token: { vaultVersion: null } });
    const entry = planCredential(undelivered, 'token', ISSUED_AT);
    assert.equal(verdict(entry), 'rotate Overdue');
    assert.deepEqual(entry.dueAt, ISSUED_AT);
    assert.match(entry.text, /the vault does not hold it yet$/);
  });

  it('waits for a failed renewal’s next try, and says which try it is', () => {
    const failure = buildFailure(DUE, { attempts: 2 });
    const failing = buildIdentity({ certificate: { failure } });
    assert.equal(verdict(planCredential(failing, 'certificate', justBefore(failure.retryAt))), 'none NotDue');
    const entry = planCredential(failing, 'certificate', failure.retryAt);
    assert.equal(verdict(entry), 'renew Retry');
    assert.deepEqual(entry.dueAt, failure.retryAt);
    assert.match(entry.text, /try 3 after VaultThrottled$/);
    assert.equal(verdict(planCredential(failing, 'token', DUE)), 'rotate InWindow');
  });

  it('reminds of a token when autoRotate is off, and still renews the certificate', () => {
    const manual = buildIdentity({ autoRotate: false });
    assert.equal(verdict(planCredential(manual, 'token', DUE)), 'remind AutoRotateOff');
    assert.equal(verdict(planCredential(manual, 'certificate', DUE)), 'renew InWindow');
  });

  it('delivers a token that was made although autoRotate is off', () => {
    const manual = buildIdentity({ autoRotate: false, token: { vaultVersion: null } });
    assert.equal(verdict(planCredential(manual, 'token', ISSUED_AT)), 'rotate Overdue');
  });

  it('does nothing for a revoked identity, however late', () => {
    const revoked = buildIdentity({ revokedAt: after(1), certificate: { head: null } });
    for (const kind of ['certificate', 'token'] as const) {
      const entry = planCredential(revoked, kind, after(400));
      assert.equal(verdict(entry), 'none Revoked');
      assert.match(entry.text, /revoked at 2026-11-22T00:00:00Z$/);
    }
  });
});

describe('the plan for what an operator has asked for', () => {
  const asked = { forcedAt: ISSUED_AT };

  it('is to do it at once, with autoRotate or without', () => {
    const forced = buildIdentity({ autoRotate: false, certificate: asked, token: asked });
    assert.equal(verdict(planCredential(forced, 'certificate', ISSUED_AT)), 'renew Forced');
    assert.equal(verdict(planCredential(forced, 'token', ISSUED_AT)), 'rotate Forced');
  });

  it('is to request it of an agent that holds the key', () => {
    const forced = buildIdentity({ delivery: 'agent', certificate: { head: buildHead(), ...asked } });
    assert.equal(verdict(planCredential(forced, 'certificate', ISSUED_AT)), 'request AgentMustAct');
  });
});

describe('the plan for an agent-delivered credential', () => {
  it('asks the agent for its certificate, because only the agent has the key', () => {
    const agent = buildIdentity({ delivery: 'agent', certificate: { head: buildHead() } });
    assert.equal(verdict(planCredential(agent, 'certificate', justBefore(DUE))), 'none NotDue');
    const entry = planCredential(agent, 'certificate', DUE);
    assert.equal(verdict(entry), 'request AgentMustAct');
    assert.match(entry.text, /the agent holds the key and renews it$/);
    assert.equal(verdict(planCredential(agent, 'certificate', after(400))), 'request AgentMustAct');
  });

  it('reminds of its token, and asks the agent for it when autoRotate is on: no vault gets it', () => {
    const manual = buildIdentity({ delivery: 'agent' });
    assert.equal(verdict(planCredential(manual, 'token', DUE)), 'remind AutoRotateOff');
    const automatic = buildIdentity({ delivery: 'agent', autoRotate: true });
    const entry = planCredential(automatic, 'token', DUE);
    assert.equal(verdict(entry), 'request AgentMustAct');
    assert.match(entry.text, /the agent rotates it with proof of its key$/);
  });

  it('does not call a token late because no vault holds it', () => {
    const agent = buildIdentity({ delivery: 'agent' });
    assert.equal(verdict(planCredential(agent, 'token', justBefore(DUE))), 'none NotDue');
  });
});

describe('the question whether a worker should go on', () => {
  it('is answered as the plan answers it', () => {
    const kms = buildIdentity();
    assert.equal(isWorkDue(kms, 'certificate', justBefore(DUE)), false);
    assert.equal(isWorkDue(kms, 'certificate', DUE), true);
    assert.equal(isWorkDue(kms, 'token', DUE), true);
    assert.equal(isWorkDue(buildIdentity({ autoRotate: false }), 'token', DUE), false);
    assert.equal(isWorkDue(buildIdentity({ delivery: 'agent' }), 'certificate', DUE), false);
    assert.equal(isWorkDue(buildIdentity({ revokedAt: ISSUED_AT }), 'certificate', DUE), false);
  });

  it('does not wait for the next try, which paces the scan alone', () => {
    const failure = buildFailure(DUE, { retryAt: after(42) });
    const failing = buildIdentity({ certificate: { failure }, token: { failure } });
    assert.equal(isWorkDue(failing, 'certificate', DUE), true);
    assert.equal(isWorkDue(failing, 'token', DUE), true);
    assert.equal(isWorkDue(failing, 'certificate', justBefore(DUE)), false);
  });
});
