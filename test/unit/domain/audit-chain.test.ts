import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { AuditEvent } from '../../../shared/domain/audit.ts';
import { EVENT_TYPES } from '../../../shared/domain/audit.ts';
import { isCheckpointDue, linkEvent, NO_HASH, publicEvent } from '../../../shared/domain/audit-chain.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const EVENT: AuditEvent = {
  v: 1,
  id: '0a'.repeat(16),
  time: new Date('2026-11-21T08:00:00.750Z'),
  type: 'login',
  outcome: 'success',
  reason: null,
  count: 1,
  actor: { kind: 'agent', id: null, source: '192.0.2.1' },
  target: { cluster: 'alpha', name: 'KMS', serialNumber: '0b', authorityId: null },
  correlationId: 'c0ffee00',
  details: { renewCount: 2, vaultVersion: null },
};

const link = (head: Parameters<typeof linkEvent>[0], event: AuditEvent) =>
  linkEvent(head, { chain: 'alpha', position: `${event.time.toISOString()}|${event.id}`, event }, sha256);

test('An event is shown with whole seconds and without details that are null', () => {
  const shown = publicEvent(EVENT, 'alpha');
  assert.equal(shown.time, '2026-11-21T08:00:00Z');
  assert.deepEqual(shown.details, { renewCount: 2 });
  assert.deepEqual([shown.seq, shown.previousHash, shown.hash], [null, null, null]);
});

test('Text that has no UTF-8 is mended, so that it can never stop the sealing', () => {
  const odd = { ...EVENT, reason: 'half \ud800 of a pair', details: { '\udfff': 'whole 😀' } };
  const { reason, details } = publicEvent(odd, 'alpha');
  assert.equal(reason, 'half \ufffd of a pair');
  assert.deepEqual(details, { '\ufffd': 'whole 😀' });
  assert.doesNotThrow(() => link(null, odd));
});

test('An entry’s hash is SHA-256 over the canonical form of all that it says', () => {
  const { sealed, head } = link(null, EVENT);
  // Written down by hand, and not by the code under test.
  const text =
    `{"actor":{"id":null,"kind":"agent","source":"192.0.2.1"},"chain":"alpha","correlationId":"c0ffee00","count":1,` +
    `"details":{"renewCount":2},"id":"${EVENT.id}","outcome":"success","previousHash":"${NO_HASH}","reason":null,` +
    `"seq":1,"target":{"authorityId":null,"cluster":"alpha","name":"KMS","serialNumber":"0b"},` +
    `"time":"2026-11-21T08:00:00Z","type":"login"}`;
  assert.equal(sealed.event.hash, sha256(text));
  assert.equal(head.hash, sealed.event.hash);
  assert.equal(head.seq, 1);
});

test('Each entry names the hash of the one before it, and the latest moment never goes back', () => {
  const first = link(null, EVENT);
  const late = link(first.head, { ...EVENT, time: new Date('2026-11-21T07:59:00Z') });
  assert.equal(late.sealed.event.previousHash, first.head.hash);
  assert.equal(late.sealed.event.seq, 2);
  assert.deepEqual(late.sealed.latest, EVENT.time);
  assert.deepEqual(late.head.time, EVENT.time);
});

test('A checkpoint is due behind a head that has moved, and once a day', () => {
  const { head } = link(null, EVENT);
  const at = new Date('2026-11-21T09:00:00Z');
  assert.equal(isCheckpointDue(head, at), true);
  assert.equal(isCheckpointDue({ ...head, checkpointSeq: 1 }, at), true);
  const noted = { ...head, checkpointSeq: 1, checkpointAt: at };
  assert.equal(isCheckpointDue(noted, new Date('2026-11-22T08:59:59Z')), false);
  assert.equal(isCheckpointDue(noted, new Date('2026-11-22T09:00:00Z')), true);
  assert.equal(isCheckpointDue({ ...noted, seq: 2 }, at), true);
});

test('Every type that an event can have can be asked for', () => {
  assert.ok(EVENT_TYPES.includes('login') && EVENT_TYPES.includes('reconciled'));
  assert.equal(new Set(EVENT_TYPES).size, EVENT_TYPES.length);
});
