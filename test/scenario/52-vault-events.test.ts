import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readVaultEvent } from '../../shared/adapters/storage/vault-event-message.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import {
  vaultAuthorityName,
  vaultCertificateName,
  vaultResponderName,
  vaultTokenName,
} from '../../shared/domain/names.ts';
import { doWork } from '../../shared/use-cases/do-work.ts';
import { heedHint } from '../../shared/use-cases/heed-hint.ts';
import { renewDue } from '../../shared/use-cases/renew-due.ts';
import { identityOf, KMS, management } from '../support/agent.ts';
import { eventsOf } from '../support/events.ts';
import { dieBefore, refuseCalls } from '../support/faults.ts';
import { addForeignVersion } from '../support/foreign-version.ts';
import { assertWhole, takeInventory } from '../support/inspect-world.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import { specOf } from '../support/key-spec.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { onlyAuthorityId } from '../support/revocation-lists.ts';
import { startWorld } from '../support/started-world.ts';
import { AUTHORITY, cloudEvent, hintOf } from '../support/vault-events.ts';

const NAME = vaultCertificateName(KMS);
const NEAR = hintOf('near-expiry', NAME);
const NEW = hintOf('new-version', NAME);

/** A started world so many days on, with nothing waiting. */
async function worldAfter(days: number, policy: Parameters<typeof memoryWorld>[0] = {}): Promise<World> {
  const world = memoryWorld(policy);
  await startWorld(world);
  world.queue.takeAnnouncements();
  world.clock.advance(days * DAY_MS);
  return world;
}

const heed = (world: World, hint = NEAR, deps = world.deps) => heedHint(deps, world.run, hint);

async function reasonsOf(world: World, type: string): Promise<(string | null)[]> {
  return (await eventsOf(world, KMS)).filter((event) => event.type === type).map(({ reason }) => reason);
}

const callsOf = (calls: readonly string[], part: RegExp) => calls.filter((call) => part.test(call));

const VAULTS = /^(?:clientVault|authorityVault|clientSecrets|authoritySecrets|ownVault|signer)\./;
const WRITES = /\.(?:commit|send\w*|add|put\w*|insert\w*|replace\w*)$/;

test('52 an event that a credential is near its end does for it what the scan would, and for no other', async () => {
  const world = await worldAfter(46);
  assert.equal(await heed(world), 'queued');
  const items = world.queue.takeAll();
  assert.deepEqual(items, [{ v: 1, identity: items[0]?.identity, kind: 'certificate', generation: 1 }]);
  assert.equal(world.clientVault.versions(NAME).length, 1, 'nothing is renewed by the event itself');
  assert.equal(await heed(world, hintOf('expired', vaultTokenName(KMS))), 'queued');
  for (const item of [...items, ...world.queue.takeAll()]) await doWork(world.deps, world.run, item);
  const { certificate, token } = await identityOf(world, KMS);
  assert.deepEqual([certificate.generation, certificate.failure, token.failure], [2, null, null]);
  assert.equal(world.clientSecrets.versions(vaultTokenName(KMS)).length, 2);
  await assertWhole(world);
});

test('52 the record coalesces: of many events about one credential one puts it on the queue, and the scan then does not', async () => {
  const world = await worldAfter(46);
  const outcomes: string[] = [];
  for (let i = 0; i < 5; i++) outcomes.push(...(await Promise.all([heed(world), heed(world), heed(world)])));
  assert.equal(outcomes.filter((outcome) => outcome === 'queued').length, 1);
  assert.deepEqual(outcomes.slice(3), new Array(12).fill('nothing'));
  await renewDue(world.deps, world.run);
  const ofKms = world.queue
    .takeAll()
    .filter(({ identity, kind }) => identity.name === 'KMS' && kind === 'certificate');
  assert.equal(ofKms.length, 1);
});

test('52 an event about a credential that is not due changes nothing and asks no vault', async () => {
  const world = await worldAfter(2);
  const before = await takeInventory(world);
  const { deps, calls } = recordCalls(world.deps);
  for (const kind of ['near-expiry', 'expired'] as const) {
    assert.equal(await heed(world, hintOf(kind, NAME), deps), 'nothing');
    assert.equal(await heed(world, hintOf(kind, vaultTokenName(KMS)), deps), 'nothing');
  }
  assert.deepEqual([...callsOf(calls, VAULTS), ...callsOf(calls, WRITES)], []);
  assert.deepEqual(await takeInventory(world), before);
});

test('52 events never send more to the vaults than VAULT_KEYS_PER_MINUTE allows until the next scan', async () => {
  const world = await worldAfter(46, { vaultKeysPerMinute: 1 });
  const { identities } = world.deps;
  const due = (await identities.due(world.clock.now(), 100)).filter(({ isReminder }) => !isReminder);
  const outcomes = [];
  for (const { identity, kind } of due) {
    const name = kind === 'token' ? vaultTokenName(identity) : vaultCertificateName(identity);
    outcomes.push(await heed(world, hintOf('near-expiry', name)));
  }
  assert.equal(
    outcomes.filter((outcome) => outcome === 'queued').length,
    15,
    'one a minute, fifteen minutes',
  );
  assert.equal(outcomes.filter((outcome) => outcome === 'left-to-the-scan').length, due.length - 15);
  assert.equal(world.queue.takeAll().length, 15);
});

test('52 the events of Everleaf’s own renewals cost reads of the record and nothing else', async () => {
  const world = await worldAfter(2);
  const version = (await world.clientVault.current(NAME))?.version ?? '';
  const { deps, calls } = recordCalls(world.deps);
  assert.equal(await heed(world, hintOf('new-version', NAME, version), deps), 'nothing');
  // The vault keeps what a token's secret holds to itself.
  assert.equal(await heed(world, hintOf('new-version', vaultTokenName(KMS)), deps), 'nothing');
  assert.deepEqual([...callsOf(calls, VAULTS), ...callsOf(calls, WRITES)], []);
});

test('52 a version that somebody else made is found at once, written down, and renewed over', async () => {
  const world = await worldAfter(2);
  await addForeignVersion(world, NAME);
  assert.equal(await heed(world, NEW), 'queued');
  assert.deepEqual(await reasonsOf(world, 'reconciled'), ['vault-version-unknown']);
  for (const item of world.queue.takeAll()) await doWork(world.deps, world.run, item);
  const { certificate } = await identityOf(world, KMS);
  assert.equal(certificate.generation, 2);
  assert.equal((await world.clientVault.current(NAME))?.version, certificate.head?.vaultVersion);
  await assertWhole(world);
});

test('52 the vault decides, not the event: of a version that is not there nothing is written down', async () => {
  const world = await worldAfter(2);
  assert.equal(await heed(world, NEW), 'looked');
  assert.deepEqual(await reasonsOf(world, 'reconciled'), []);
  assert.deepEqual(world.queue.takeAll(), []);
});

test('52 a flood of events that name versions has the vault looked at once in five minutes', async () => {
  const world = await worldAfter(2);
  const { deps, calls } = recordCalls(world.deps);
  const outcomes: string[] = [];
  for (let i = 0; i < 30; i++) outcomes.push(await heed(world, hintOf('new-version', NAME, `${i}a`), deps));
  assert.deepEqual(outcomes, ['looked', ...Array.from({ length: 29 }, () => 'too-soon')]);
  assert.equal(callsOf(calls, /^clientVault\.current$/).length, 1);
  world.clock.advance(5 * MINUTE_MS);
  await addForeignVersion(world, NAME);
  assert.equal(await heed(world, NEW), 'queued');
});

test('52 a version that comes while Everleaf makes one is left to whoever finishes it', async () => {
  const world = await worldAfter(46);
  const { deps, calls } = recordCalls(world.deps);
  const item = { v: 1, identity: KMS, kind: 'certificate', generation: 1 } as const;
  await doWork(deps, world.run, item);
  const merge = calls.indexOf('clientVault.merge') + 1;
  const dying = await worldAfter(46);
  await doWork(dieBefore(merge + 1, dying.deps).deps, dying.run, item).catch(() => undefined);
  const version = (await dying.clientVault.current(NAME))?.version ?? '';
  assert.equal(await heed(dying, hintOf('new-version', NAME, version)), 'nothing');
  assert.deepEqual(await reasonsOf(dying, 'reconciled'), []);
});

test('52 a row of the due index that is missing is put back when an event asks for it', async () => {
  const world = await worldAfter(46);
  const key = (await identityOf(world, KMS)).certificate.dueKey ?? '';
  await world.deps.identities.commit('management', [{ op: 'remove', kind: 'due', identity: KMS, key }]);
  assert.equal(await heed(world), 'queued');
  assert.deepEqual(await reasonsOf(world, 'reconciled'), ['due-row-missing']);
});

test('52 an authority that is near its end is rolled when the event comes, once in five minutes, and its timer agrees', async () => {
  const world = await worldAfter(250);
  const id = await onlyAuthorityId(world);
  const hint = hintOf('near-expiry', vaultAuthorityName(id), undefined, AUTHORITY);
  assert.equal(await heed(world, hint), 'looked');
  const states = (await world.deps.fleet.authorities()).map(({ state }) => state).sort();
  assert.equal(states.length, 2, states.join());
  assert.equal(await heed(world, hint), 'too-soon');
  world.clock.advance(HOUR_MS);
  const lease = await world.deps.leases.acquire('roll-authority', 600);
  assert.equal(await heed(world, hint), 'too-soon', 'its timer is at it');
  await lease?.release();
});

test('52 a version of the authority that Everleaf did not make is told of, and nothing is changed', async () => {
  const world = await worldAfter(2);
  const id = await onlyAuthorityId(world);
  const name = vaultAuthorityName(id);
  const own = (await world.authorityVault.current(name))?.version ?? '';
  assert.equal(await heed(world, hintOf('new-version', name, own, AUTHORITY)), 'nothing');
  await world.authorityVault.createSelfSigned(name, specOf('EC-P256', { usage: 'authority' }));
  await world.authorityVault.pending(name);
  assert.equal(await heed(world, hintOf('new-version', name, undefined, AUTHORITY)), 'looked');
  assert.ok(world.lines.some((line) => line.startsWith('error: Reconcile: the vault') && line.includes(id)));
  assert.equal((await world.deps.fleet.authorities())[0]?.vaultVersion, own);
});

test('52 responders get what their timer does', async () => {
  const world = await worldAfter(5);
  const id = await onlyAuthorityId(world);
  const name = vaultResponderName(id);
  const own = (await world.authorityVault.current(name))?.version ?? '';
  assert.equal(await heed(world, hintOf('new-version', name, own, AUTHORITY)), 'nothing');
  assert.equal(await heed(world, hintOf('near-expiry', name, own, AUTHORITY)), 'looked');
  assert.equal(world.authorityVault.versions(name).length, 2);
  assert.equal(await heed(world, hintOf('new-version', name, undefined, AUTHORITY)), 'too-soon');
});

test('52 what nobody here knows is dropped, with one line in the log and without a call to a vault', async () => {
  const world = await worldAfter(46);
  const id = await onlyAuthorityId(world);
  const strangers = [
    hintOf('near-expiry', 'ca-bundle'),
    hintOf('new-version', 'rotation-key', undefined, AUTHORITY),
    hintOf('expired', vaultCertificateName(management('nobody'))),
    hintOf('expired', vaultCertificateName({ cluster: 'nowhere', name: 'KMS' })),
    hintOf('near-expiry', vaultAuthorityName('00000000'), undefined, AUTHORITY),
    // The right name in a vault that is not the one.
    hintOf('near-expiry', NAME, undefined, 'https://clients.vault.example'),
    hintOf('near-expiry', NAME, undefined, AUTHORITY),
    hintOf('near-expiry', vaultAuthorityName(id)),
    readVaultEvent('not an event'),
    readVaultEvent(null),
    readVaultEvent(cloudEvent('Microsoft.KeyVault.CertificateExpired', 'https://x.test/certificates')),
  ];
  const { deps, calls } = recordCalls(world.deps);
  for (const hint of strangers) {
    const lines = world.lines.length;
    assert.equal(await heedHint(deps, world.run, hint), 'dropped');
    assert.equal(world.lines.length, lines + 1);
  }
  assert.deepEqual([...callsOf(calls, VAULTS), ...callsOf(calls, WRITES)], []);
});

test('52 an event never comes back: what fails is logged and left to the timers', async () => {
  const world = await worldAfter(2);
  await addForeignVersion(world, NAME);
  const ports = ['identities', 'counters', 'clientVault', 'fleet'] as const;
  for (const port of ports) {
    const refusing = refuseCalls(world.deps, ({ port: called }) => called === port);
    const outcome = await heed(world, NEW, refusing);
    assert.ok(outcome === 'failed' || outcome === 'too-soon', `${port}: ${outcome}`);
    world.clock.advance(5 * MINUTE_MS);
  }
});
