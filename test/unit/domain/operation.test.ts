import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Identity } from '../../../shared/domain/identity.ts';
import {
  countItems,
  type ItemState,
  isSettled,
  itemProgress,
  type OperationItem,
  operationState,
} from '../../../shared/domain/operation.ts';
import {
  after,
  buildFailure,
  buildHead,
  buildIdentity,
  type IdentityChanges,
} from '../../support/build-identity.ts';

const requestedAt = after(10);
const operation = { requestedAt };

const item = (changes: Partial<OperationItem> = {}): OperationItem => ({
  name: 'KMS',
  credential: 'certificate',
  incarnation: 1,
  generation: 1,
  task: 'renew',
  reason: null,
  ...changes,
});

const stateOf = (one: OperationItem, identity: Identity | null) =>
  itemProgress(operation, one, identity).state;
const agent = (changes: IdentityChanges = {}) => buildIdentity({ delivery: 'agent', ...changes });

describe('an item in the vault', () => {
  it('waits, is worked on, and is done when the generation has passed', () => {
    assert.equal(stateOf(item(), buildIdentity()), 'queued');
    const queued = buildIdentity({ certificate: { queuedAt: after(10, 5) } });
    assert.deepEqual(itemProgress(operation, item(), queued), {
      state: 'running',
      at: after(10, 5),
      code: null,
      nextStep: null,
    });
    const attempt = { ...buildHead(), id: 'a', spkiHash: null, requestId: null };
    assert.equal(stateOf(item(), buildIdentity({ certificate: { attempt } })), 'running');
    const done = buildIdentity({ certificate: { generation: 2, lastSuccessAt: after(11) } });
    assert.deepEqual(itemProgress(operation, item(), done).at, after(11));
    assert.equal(stateOf(item(), done), 'done');
  });

  it('of a token is done when the vault holds it', () => {
    const token = item({ credential: 'token', task: 'rotate' });
    assert.equal(stateOf(token, buildIdentity({ token: { generation: 2, vaultVersion: null } })), 'running');
    assert.equal(stateOf(token, buildIdentity({ token: { generation: 2 } })), 'done');
  });

  it('that failed since then says so, and when it is tried again; an earlier failure says nothing', () => {
    const failed = itemProgress(
      operation,
      item(),
      buildIdentity({ certificate: { failure: buildFailure(after(11)) } }),
    );
    assert.equal(failed.state, 'failed');
    assert.equal(failed.code, 'VaultThrottled');
    assert.equal(failed.nextStep?.action, 'wait');
    assert.match(failed.nextStep?.text ?? '', /tried again by itself at 2026-12-02T00:01:00Z/);
    assert.equal(
      stateOf(item(), buildIdentity({ certificate: { failure: buildFailure(after(9)) } })),
      'queued',
    );
  });

  it('that is a first one is done when there is one, whatever its generation', () => {
    const certificate = item({ task: 'deliver', generation: 5 });
    const token = item({ task: 'deliver', credential: 'token', generation: 5 });
    const empty = buildIdentity({ certificate: { head: null }, token: { vaultVersion: null } });
    assert.equal(stateOf(certificate, empty), 'queued');
    assert.equal(stateOf(token, empty), 'queued');
    assert.equal(stateOf(certificate, buildIdentity()), 'done');
    assert.equal(stateOf(token, buildIdentity()), 'done');
  });
});

describe('an item of an agent', () => {
  const request = item({ task: 'request' });

  it('waits for the agent from when it was asked', () => {
    assert.equal(stateOf(request, agent()), 'queued');
    assert.equal(stateOf(request, agent({ certificate: { forcedAt: after(9) } })), 'queued');
    const asked = itemProgress(operation, request, agent({ certificate: { forcedAt: requestedAt } }));
    assert.equal(asked.state, 'waiting');
    assert.equal(asked.nextStep?.action, 'agent-login');
    const known = agent({ certificate: { forcedAt: requestedAt, head: buildHead() } });
    assert.equal(itemProgress(operation, request, known).nextStep?.route, '/api/certificates/renew');
    assert.equal(stateOf(request, agent({ certificate: { generation: 2 } })), 'done');
  });

  it('of a token waits from when the new one is made until its first use', () => {
    const rotate = item({ credential: 'token', task: 'rotate' });
    assert.equal(stateOf(rotate, agent()), 'queued');
    const made = itemProgress(
      operation,
      rotate,
      agent({ token: { generation: 2, usedGeneration: 1, handoverGeneration: 2 } }),
    );
    assert.equal(made.state, 'waiting');
    assert.equal(made.nextStep?.action, 'agent-login');
    const used = { generation: 2, usedGeneration: 2, handoverGeneration: 2 };
    assert.equal(stateOf(rotate, agent({ token: used })), 'done');
  });

  it('of a token is done when the agent has rotated by itself, with nobody to bring it a login file', () => {
    const rotated = { generation: 2, usedGeneration: 1, handoverGeneration: 1 };
    assert.equal(stateOf(item({ credential: 'token', task: 'rotate' }), agent({ token: rotated })), 'done');
  });

  it('of a token that is only due names the operator’s route', () => {
    const due = item({ credential: 'token', task: 'request' });
    const found = itemProgress(operation, due, agent());
    assert.equal(found.state, 'waiting');
    assert.equal(found.nextStep?.route, '/api/clusters/management/identities/KMS/rotate');
  });
});

describe('an item that nothing is done for', () => {
  it('is skipped: for its reason, or because its identity is revoked, deleted, gone or another one', () => {
    const codeOf = (one: OperationItem, identity: Identity | null) => {
      const { state, code } = itemProgress(operation, one, identity);
      return `${state} ${code}`;
    };
    assert.equal(codeOf(item({ task: 'none', reason: 'NotDue' }), buildIdentity()), 'skipped NotDue');
    assert.equal(codeOf(item(), buildIdentity({ revokedAt: after(11) })), 'skipped Revoked');
    assert.equal(codeOf(item(), buildIdentity({ deletedAt: after(11) })), 'skipped Deleted');
    assert.equal(codeOf(item(), buildIdentity({ incarnation: 2 })), 'skipped Deleted');
    assert.equal(codeOf(item(), null), 'skipped Deleted');
    const { state, code } = itemProgress(operation, item(), buildIdentity(), true);
    assert.equal(`${state} ${code}`, 'skipped Revoked', 'a rule revokes what it would get');
  });

  it('was done before its identity was revoked', () => {
    assert.equal(
      stateOf(item(), buildIdentity({ revokedAt: after(12), certificate: { generation: 2 } })),
      'done',
    );
  });
});

describe('an item of a deletion', () => {
  it('is done when the identity is deleted', () => {
    const revoke = item({ task: 'revoke' });
    assert.equal(stateOf(revoke, buildIdentity()), 'queued');
    assert.equal(stateOf(revoke, buildIdentity({ deletedAt: after(11), revokedAt: after(11) })), 'done');
    assert.equal(stateOf(revoke, null), 'skipped');
    assert.equal(stateOf(revoke, buildIdentity({ incarnation: 2 })), 'done', 'made again since');
  });

  it('has failed while the vault has versions to be disabled', () => {
    const failure = buildFailure(after(11), { code: 'VaultUnavailable' });
    const left = buildIdentity({ deletedAt: after(11), revokedAt: after(11), certificate: { failure } });
    const found = itemProgress(operation, item({ task: 'revoke' }), left);
    assert.deepEqual([found.state, found.code], ['failed', 'VaultUnavailable']);
    assert.equal(found.nextStep?.action, 'wait');
  });
});

describe('an operation', () => {
  const open = { finishedAt: null };
  const finished = { finishedAt: after(11) };
  const judge = (states: ItemState[], of: { finishedAt: Date | null } = finished, overtaken = 0) =>
    operationState({ ...of, kind: 'renew' }, countItems(states), overtaken);

  it('counts its items', () => {
    assert.deepEqual(countItems(['done', 'waiting', 'failed', 'skipped', 'queued', 'done']), {
      total: 6,
      done: 2,
      waiting: 1,
      failed: 1,
      skipped: 1,
    });
  });

  it('is settled when nothing is left that Everleaf would do next', () => {
    assert.ok(isSettled(countItems([])));
    assert.ok(isSettled(countItems(['done', 'waiting', 'failed', 'skipped'])));
    assert.equal(isSettled(countItems(['done', 'queued'])), false);
    assert.equal(isSettled(countItems(['running'])), false);
  });

  it('is queued, then running until its end is recorded', () => {
    assert.equal(judge(['queued', 'queued', 'skipped'], open), 'queued');
    assert.equal(judge(['done', 'queued'], open), 'running');
    assert.equal(judge(['done'], open), 'running');
    assert.equal(judge([], open), 'running');
  });

  it('succeeded when all was done or skipped, failed when nothing was, and is partial between', () => {
    assert.equal(judge([]), 'succeeded');
    assert.equal(judge(['done', 'skipped']), 'succeeded');
    assert.equal(judge(['failed', 'skipped']), 'failed');
    assert.equal(judge(['failed', 'done']), 'partial');
    assert.equal(judge(['waiting']), 'partial');
    assert.equal(judge(['waiting', 'failed']), 'partial');
  });

  it('was cancelled when nothing was done, because the identities ended first', () => {
    assert.equal(judge(['skipped', 'skipped'], finished, 1), 'cancelled');
    assert.equal(judge(['skipped', 'done'], finished, 1), 'succeeded');
    assert.equal(judge(['skipped']), 'succeeded', 'nothing was to be done');
  });

  it('is a partial deletion when the vault did nothing: everything is revoked all the same', () => {
    assert.equal(operationState({ ...finished, kind: 'delete' }, countItems(['failed'])), 'partial');
  });
});
