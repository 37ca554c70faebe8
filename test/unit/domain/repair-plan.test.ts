import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Identity } from '../../../shared/domain/identity.ts';
import { planRepair, type RepairOptions } from '../../../shared/domain/repair-plan.ts';
import { after, buildFailure, buildHead, buildIdentity } from '../../support/build-identity.ts';

const BOTH = ['cloud', 'kubelet'] as const;

/** `<certificate's action> <reason> <task>, <token's ...>` */
function textOf(identity: Identity, options: Partial<RepairOptions>, now: Date): string {
  return planRepair(identity, { credentials: BOTH, force: false, ...options }, now)
    .map(({ entry, item }) => `${entry.action} ${entry.reason} ${item.task}`)
    .join(', ');
}

describe('a repair without force', () => {
  it('does nothing before the window', () => {
    assert.equal(textOf(buildIdentity(), {}, after(30)), 'none NotDue none, none NotDue none');
    const [planned] = planRepair(buildIdentity(), { credentials: BOTH, force: false }, after(30));
    assert.equal(planned?.item.reason, 'NotDue');
  });

  it('renews what is in its window, before its own moment there', () => {
    assert.equal(textOf(buildIdentity(), {}, after(37)), 'renew InWindow renew, rotate InWindow rotate');
  });

  it('gives the scan’s own reason for what the scan would do', () => {
    assert.equal(textOf(buildIdentity(), {}, after(50)), 'renew Overdue renew, rotate Overdue rotate');
    const retrying = buildIdentity({ certificate: { failure: buildFailure(after(41)) } });
    assert.match(textOf(retrying, {}, after(42)), /^renew Retry renew/);
  });

  it('does not wait for the next try of what failed', () => {
    const failure = { ...buildFailure(after(41)), retryAt: after(42) };
    assert.match(
      textOf(buildIdentity({ certificate: { failure } }), {}, after(41, 1)),
      /^renew InWindow renew/,
    );
  });

  it('rotates a token of the vault though autoRotate is off, for it is an operator who asks', () => {
    assert.match(textOf(buildIdentity({ autoRotate: false }), {}, after(50)), /rotate InWindow rotate$/);
  });

  it('asks agents, and leaves their tokens to them', () => {
    const agent = buildIdentity({ delivery: 'agent', certificate: { head: buildHead() } });
    assert.equal(textOf(agent, {}, after(50)), 'request AgentMustAct request, remind AutoRotateOff request');
    assert.equal(textOf(agent, {}, after(30)), 'none NotDue none, none NotDue none');
    assert.match(
      textOf(agent, {}, after(37)),
      /^request AgentMustAct request, request AgentMustAct request$/,
    );
  });
});

describe('a repair with force', () => {
  it('does everything, whatever the dates say', () => {
    assert.equal(
      textOf(buildIdentity(), { force: true }, after(1)),
      'renew Forced renew, rotate Forced rotate',
    );
    const agent = buildIdentity({ delivery: 'agent' });
    assert.equal(
      textOf(agent, { force: true }, after(1)),
      'request AgentMustAct request, rotate Forced rotate',
    );
    const [, token] = planRepair(agent, { credentials: BOTH, force: true }, after(1));
    assert.equal(token?.entry.text, 'rotate token of management/KMS: the agent gets a login file');
  });

  it('does nothing for what is revoked', () => {
    const revoked = buildIdentity({ revokedAt: after(1) });
    assert.equal(textOf(revoked, { force: true }, after(2)), 'none Revoked none, none Revoked none');
  });
});

describe('any repair', () => {
  it('leaves other groups and deleted identities out', () => {
    assert.equal(textOf(buildIdentity(), { credentials: ['kubelet'], force: true }, after(1)), '');
    assert.equal(textOf(buildIdentity({ deletedAt: after(1) }), { force: true }, after(2)), '');
  });

  it('makes items that name the generation they found', () => {
    const identity = buildIdentity({ incarnation: 3, certificate: { generation: 7 } });
    const [planned] = planRepair(identity, { credentials: BOTH, force: true }, after(1));
    assert.deepEqual(planned?.item, {
      name: 'KMS',
      credential: 'certificate',
      incarnation: 3,
      generation: 7,
      task: 'renew',
      reason: null,
    });
  });
});
