import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addMs, DAY_MS, HOUR_MS } from '../../../shared/domain/instants.ts';
import {
  findInIdentity,
  type IdentityFacts,
  isVaultSettled,
  mendIdentity,
  type VaultFacts,
} from '../../../shared/domain/reconciliation.ts';
import { buildFailure, buildHead, buildIdentity, ISSUED_AT } from '../../support/build-identity.ts';

const NOW = addMs(ISSUED_AT, 10 * DAY_MS);
const HEALTHY: VaultFacts = {
  current: { version: 'v1', isRecorded: true, isEnabled: true },
  isRequestWaiting: false,
};

function facts(changes: Partial<IdentityFacts> = {}): IdentityFacts {
  const soon = addMs(NOW, HOUR_MS);
  return { vault: HEALTHY, dueAt: { certificate: soon, token: soon }, ...changes };
}

const names = (...args: Parameters<typeof findInIdentity>) =>
  findInIdentity(...args).map(({ name, kind }) => `${kind}: ${name}`);

describe('what can be wrong with an identity', () => {
  test('nothing is, while vault and due rows say what the record says', () => {
    assert.deepEqual(names(buildIdentity(), facts(), NOW), []);
  });

  test('the version in the vault tells whose it is', () => {
    const found = (current: VaultFacts['current'], head = buildHead()) =>
      names(buildIdentity({ certificate: { head } }), facts({ vault: { ...HEALTHY, current } }), NOW);
    const isEnabled = true;
    assert.deepEqual(found({ version: 'v2', isRecorded: false, isEnabled }), [
      'certificate: vault-version-unknown',
    ]);
    assert.deepEqual(found({ version: 'v2', isRecorded: true, isEnabled }), [
      'certificate: vault-version-other',
    ]);
    assert.deepEqual(found({ version: 'v1', isRecorded: true, isEnabled: false }), [
      'certificate: vault-version-disabled',
    ]);
    assert.deepEqual(found(null), ['certificate: vault-version-missing']);
  });

  test('a certificate that is not there yet may be missing in the vault too', () => {
    const identity = buildIdentity({ certificate: { head: null } });
    assert.deepEqual(names(identity, facts({ vault: { ...HEALTHY, current: null } }), NOW), []);
  });

  test('the vault is not judged during an attempt, after revocation, and for agents', () => {
    const attempt = {
      id: 'a',
      serialNumber: '5e',
      issuedAt: NOW,
      notBefore: NOW,
      notAfter: NOW,
      authorityId: 'a1',
      spkiHash: null,
      requestId: null,
    };
    assert.equal(isVaultSettled(buildIdentity()), true);
    assert.equal(isVaultSettled(buildIdentity({ certificate: { attempt } })), false);
    assert.equal(isVaultSettled(buildIdentity({ revokedAt: NOW })), false);
    assert.equal(isVaultSettled(buildIdentity({ delivery: 'agent' })), false);
  });

  test('a waiting request is left over a day after the last success, unless somebody is coming for it', () => {
    const waiting = facts({ vault: { ...HEALTHY, isRequestWaiting: true } });
    const since = (ms: number, changes = {}) =>
      names(buildIdentity({ certificate: { lastSuccessAt: addMs(NOW, -ms), ...changes } }), waiting, NOW);
    assert.deepEqual(since(DAY_MS), []);
    assert.deepEqual(since(DAY_MS + 1), ['certificate: request-left-over']);
    assert.deepEqual(since(DAY_MS + 1, { head: buildHead({ renewAfter: NOW }) }), []);
    assert.deepEqual(since(DAY_MS + 1, { failure: buildFailure(NOW) }), []);
  });

  test('a queue mark is stale after a day', () => {
    const marked = (ms: number) =>
      names(buildIdentity({ token: { queuedAt: addMs(NOW, -ms) } }), facts(), NOW);
    assert.deepEqual(marked(DAY_MS), []);
    assert.deepEqual(marked(DAY_MS + 1), ['token: queue-mark-stale']);
  });

  test('whatever is renewed or reminded of must have a due row, and nothing else', () => {
    const none = facts({ dueAt: { certificate: null, token: null } });
    const both = ['certificate: due-row-missing', 'token: due-row-missing'];
    assert.deepEqual(names(buildIdentity(), none, NOW), both);
    assert.deepEqual(names(buildIdentity({ autoRotate: false }), none, NOW), both);
    const silent = { ...none, vault: null };
    assert.deepEqual(names(buildIdentity({ delivery: 'agent' }), silent, NOW), both.slice(1));
    const loggedIn = buildIdentity({ delivery: 'agent', certificate: { head: buildHead() } });
    assert.deepEqual(names(loggedIn, silent, NOW), both);
    assert.deepEqual(names(buildIdentity({ revokedAt: NOW }), silent, NOW), []);
    assert.deepEqual(names(buildIdentity({ deletedAt: NOW }), silent, NOW), []);
  });

  test('a due row may be a day behind its credential’s moment, and no more', () => {
    const { renewAfter } = buildHead();
    const at = (certificate: Date) =>
      names(buildIdentity(), facts({ dueAt: { certificate, token: NOW } }), NOW);
    assert.deepEqual(at(addMs(renewAfter, DAY_MS)), []);
    assert.deepEqual(at(addMs(renewAfter, DAY_MS + 1)), ['certificate: due-row-late']);
  });

  test('what was reminded of may come up a day after the next reminder, and no later', () => {
    const agent = buildIdentity({ delivery: 'agent', certificate: { head: buildHead() } });
    const at = (certificate: Date, now: Date) =>
      names(agent, { vault: null, dueAt: { certificate, token: now } }, now);
    const closesAt = addMs(ISSUED_AT, 45 * DAY_MS);
    const inWindow = addMs(ISSUED_AT, 42 * DAY_MS);
    assert.deepEqual(at(closesAt, inWindow), []);
    assert.deepEqual(at(addMs(closesAt, DAY_MS + 1), inWindow), ['certificate: due-row-late']);
    const ended = addMs(ISSUED_AT, 100 * DAY_MS);
    assert.deepEqual(at(addMs(ended, 8 * DAY_MS), ended), []);
    assert.deepEqual(at(addMs(ended, 8 * DAY_MS + 1), ended), ['certificate: due-row-late']);
  });
});

describe('how an identity is mended', () => {
  test('a certificate that the vault does not serve is due now, once', () => {
    const identity = buildIdentity();
    const finding = { name: 'vault-version-missing', kind: 'certificate' } as const;
    const mended = mendIdentity(identity, [finding], NOW);
    assert.deepEqual(mended.certificate.head, { ...identity.certificate.head, renewAfter: NOW });
    assert.deepEqual(mendIdentity(mended, [finding], addMs(NOW, DAY_MS)), mended);
  });

  test('a stale mark goes, and the other credential stays as it is', () => {
    const queuedAt = addMs(NOW, -2 * DAY_MS);
    const identity = buildIdentity({ certificate: { queuedAt }, token: { queuedAt } });
    const mended = mendIdentity(identity, [{ name: 'queue-mark-stale', kind: 'token' }], NOW);
    assert.equal(mended.token.queuedAt, null);
    assert.deepEqual(mended.certificate, identity.certificate);
  });
});
