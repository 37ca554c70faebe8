import assert from 'node:assert/strict';
import { test } from 'node:test';
import { taintProgress } from '../../../shared/domain/taint-progress.ts';
import { isAnySigned, signedBy } from '../../../shared/domain/tainted-certificates.ts';
import { after, buildFailure, buildHead, buildIdentity, ISSUED_AT } from '../../support/build-identity.ts';
import { buildLine } from '../../support/build-line.ts';

const NOW = after(1);
const other = buildHead({ authorityId: 'b2' });

test('What an authority signed is the certificate in the vault, and the head and successor of each line', () => {
  const identity = buildIdentity();
  const successor = { ...other, spkiHash: 'cd'.repeat(32) };
  assert.deepEqual(signedBy(identity, [buildLine({ successor })], 'a1', NOW), { isVaults: true, held: 1 });
  assert.deepEqual(signedBy(identity, [buildLine({ successor })], 'b2', NOW), { isVaults: false, held: 1 });
  assert.deepEqual(signedBy(identity, [], 'c3', NOW), { isVaults: false, held: 0 });
});

test('What is locked, revoked, deleted or has ended needs no authority', () => {
  const nothing = { isVaults: false, held: 0 };
  const agents = { ...buildIdentity({ delivery: 'agent' }), certificate: buildIdentity().certificate };
  assert.deepEqual(signedBy(agents, [buildLine({ lockedAt: ISSUED_AT })], 'a1', NOW), nothing);
  assert.deepEqual(signedBy(agents, [buildLine()], 'a1', after(91)), nothing);
  assert.deepEqual(signedBy(buildIdentity({ revokedAt: NOW }), [buildLine()], 'a1', NOW), nothing);
  assert.deepEqual(signedBy(buildIdentity({ deletedAt: NOW }), [buildLine()], 'a1', NOW), nothing);
  assert.equal(isAnySigned(nothing), false);
  assert.equal(isAnySigned({ isVaults: false, held: 1 }), true);
  assert.equal(isAnySigned({ isVaults: true, held: 0 }), true);
});

test('The item of a taint is done when nothing is left, and tells what it waits for until then', () => {
  const operation = { requestedAt: NOW };
  const item = {
    cluster: 'management',
    name: 'KMS',
    credential: 'certificate',
    incarnation: 1,
    generation: 1,
    task: 'renew',
    reason: null,
  } as const;
  const stateOf = (
    ...[identity, left]: [Parameters<typeof taintProgress>[2], Parameters<typeof taintProgress>[3]]
  ) => taintProgress(operation, item, identity, left).state;
  const vaults = { isVaults: true, held: 0 };
  const held = { isVaults: false, held: 1 };
  assert.equal(stateOf(null, vaults), 'skipped');
  assert.equal(stateOf(buildIdentity({ incarnation: 2 }), vaults), 'skipped');
  assert.equal(stateOf(buildIdentity({ revokedAt: NOW }), vaults), 'skipped');
  assert.equal(stateOf(buildIdentity(), vaults), 'queued');
  assert.equal(stateOf(buildIdentity({ certificate: { queuedAt: NOW } }), vaults), 'running');
  assert.equal(stateOf(buildIdentity({ certificate: { failure: buildFailure(NOW) } }), vaults), 'failed');
  assert.equal(stateOf(buildIdentity(), { isVaults: false, held: 0 }), 'done');
  assert.equal(stateOf(buildIdentity(), held), 'waiting');
  assert.equal(stateOf(buildIdentity({ delivery: 'agent' }), held), 'queued');
  assert.equal(
    stateOf(buildIdentity({ delivery: 'agent', certificate: { forcedAt: NOW } }), held),
    'waiting',
  );
});
