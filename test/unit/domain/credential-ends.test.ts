import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentialEnds } from '../../../shared/domain/credential-ends.ts';
import { after, buildHead, buildIdentity, ISSUED_AT } from '../../support/build-identity.ts';

/** The builders' credentials live 90 days less a second. */
const CLOSES = after(45, -1);
const overdue = (identity: ReturnType<typeof buildIdentity>, now: Date) =>
  credentialEnds(identity, now).map(({ kind, isOverdue }) => `${kind}${isOverdue ? ' overdue' : ''}`);

test('an identity’s credentials end and renew when its record says', () => {
  const identity = buildIdentity();
  assert.deepEqual(credentialEnds(identity, ISSUED_AT), [
    { kind: 'certificate', notAfter: after(90, -1), renewAt: after(40.5, -1), isOverdue: false },
    { kind: 'token', notAfter: after(90, -1), renewAt: after(40.5, -1), isOverdue: false },
  ]);
});

test('a credential is overdue when its window has closed, and not a moment before', () => {
  const identity = buildIdentity();
  assert.deepEqual(overdue(identity, CLOSES), ['certificate', 'token']);
  assert.deepEqual(overdue(identity, new Date(CLOSES.getTime() + 1)), [
    'certificate overdue',
    'token overdue',
  ]);
});

test('a token that an operator rotates by hand is nobody’s delay', () => {
  const agent = buildIdentity({ delivery: 'agent', certificate: { head: buildHead() } });
  assert.deepEqual(overdue(agent, after(60)), ['certificate overdue', 'token']);
});

test('nothing is told of what is not there, and nothing of what is revoked or deleted', () => {
  assert.deepEqual(overdue(buildIdentity({ certificate: { head: null } }), ISSUED_AT), ['token']);
  assert.deepEqual(overdue(buildIdentity({ revokedAt: ISSUED_AT }), after(60)), []);
  assert.deepEqual(overdue(buildIdentity({ deletedAt: ISSUED_AT }), after(60)), []);
});
