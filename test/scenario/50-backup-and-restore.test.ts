/** A fleet is lost but for its backup, and lives on in another place. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { CopyFamily } from '../../shared/adapters/memory/memory-copies.ts';
import { nodeDigest } from '../../shared/adapters/system/node-digest.ts';
import { FLEET_CHAIN, SEAL_AFTER_MS } from '../../shared/domain/audit.ts';
import { toHex } from '../../shared/domain/encoding.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import { VAULT_ROTATION_KEY_NAME, vaultAuthorityName } from '../../shared/domain/names.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { getEvents } from '../../shared/use-cases/get-events.ts';
import { getStatus } from '../../shared/use-cases/get-status.ts';
import { reconcile } from '../../shared/use-cases/reconcile.ts';
import { revokeIdentity } from '../../shared/use-cases/revoke.ts';
import { runTimer } from '../../shared/use-cases/run-timer.ts';
import { sealAudit } from '../../shared/use-cases/seal-audit.ts';
import { writeBackup } from '../../shared/use-cases/write-backup.ts';
import { logIn, requestOf } from '../support/agent.ts';
import { findingsIn } from '../support/audit-world.ts';
import { backUp, opened, recordOf, restoreInto, textOf } from '../support/backups.ts';
import { create } from '../support/clusters.ts';
import { refuseCalls } from '../support/faults.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { firstCertificate, type Held, holding, renew, renewAsMoc, show } from '../support/proving-agent.ts';
import { startWorld } from '../support/started-world.ts';
import { keyPair } from '../unit/pki/support/keys.ts';

const N1 = { cluster: 'alpha', name: 'kubelet-n1' };
const N2 = { cluster: 'alpha', name: 'kubelet-n2' };

/** A busy world, its backup, and what its agents have on their disks. */
interface Lost {
  readonly world: World;
  readonly family: CopyFamily;
  readonly file: Uint8Array;
  readonly node: Held;
  readonly nodeToken: string;
  readonly revoked: Held;
  readonly revokedToken: string;
  readonly locked: Held;
}

async function lostFleet(): Promise<Lost> {
  const family: CopyFamily = new Map();
  const world = memoryWorld({}, undefined, { family });
  await startWorld(world);
  const { loginFiles } = await create(world);
  const token = (name: string) => loginFiles.find((file) => file.name === name)?.token.reveal() ?? '';
  const logged = async (id: typeof N1, owner: string) =>
    holding(id, await logIn(world, token(id.name), requestOf(id, owner)), keyPair('P-256', owner));
  const node = await logged(N1, 'n1');
  const revoked = await logged(N2, 'n2');
  await world.tick();
  const first = await firstCertificate(world);
  world.clock.advance(30 * DAY_MS);
  const locked = await renew(world, first, 'node, key 1');
  await show(world, locked);
  await assert.rejects(renewAsMoc(world, first, 'a thief'), { code: 'Locked' });
  await revokeIdentity(world.deps, world.run, N2, 'keyCompromise');
  world.clock.advance(SEAL_AFTER_MS + MINUTE_MS);
  await sealAudit(world.deps, world.run);
  await runTimer(world.deps, world.run, 'backup', writeBackup);
  const file = world.backups.content(world.backups.names()[0] ?? '');
  assert.ok(file !== null);
  const nodeToken = token('kubelet-n1');
  return { world, family, file, node, nodeToken, revoked, revokedToken: token('kubelet-n2'), locked };
}

/** Another place, an hour later, with nothing in it; its authority vault is of the same family, and has another address. */
function emptyPlace({ world, family }: Pick<Lost, 'world' | 'family'>): World {
  const place = memoryWorld({}, undefined, { family, authorityVaultUrl: 'https://another.vault.test' });
  place.clock.advance(world.clock.now().getTime() - place.clock.now().getTime() + HOUR_MS);
  return place;
}

describe('50 a fleet that is lost but for its backup', () => {
  let lost: Lost;
  let place: World;
  before(async () => {
    lost = await lostFleet();
    place = emptyPlace(lost);
    await restoreInto(place, opened(lost.file));
  });

  test('has the very rows that it had, but for what the backup wrote afterwards, and where its keys are', async () => {
    const [had, has] = [await recordOf(lost.world), await recordOf(place)];
    const differing = Object.keys({ ...had, ...has }).filter((key) => had[key] !== has[key]);
    const [authority] = await place.deps.fleet.authorities();
    assert.match(authority?.keyId ?? '', /^https:\/\/another\.vault\.test\/keys\/authority--/);
    const expected =
      /^record fleet (?:deployment|lease\|backup|timer\|backup|(?:authority|responder)\|.*|audit-signing.*)$|^record \d\d o\|/;
    assert.deepEqual(
      differing.filter((key) => !expected.test(key)),
      [],
    );
    assert.ok(Object.keys(has).length > 100);
  });

  test('knows that it was restored, and has the keys of its authority', async () => {
    const deployment = (await place.deps.fleet.deployment())?.value;
    assert.deepEqual(deployment?.restoredAt, place.clock.now());
    const [name] = [vaultAuthorityName(deployment?.activeAuthorityId ?? '')];
    assert.deepEqual(
      place.authorityVault.versions(name).map(({ version }) => version),
      lost.world.authorityVault.versions(name).map(({ version }) => version),
    );
    assert.ok(place.authoritySecrets.versions(VAULT_ROTATION_KEY_NAME).length === 1);
  });

  test('renews an agent by proof, and logs it in with the token it had', async () => {
    const renewed = await renew(place, lost.node, 'n1, key 1');
    assert.equal(renewed.answer.renewCount, 1);
    await logIn(place, lost.nodeToken, requestOf(N1, 'n1 anew'));
  });

  test('still refuses what was revoked and what was locked', async () => {
    await assert.rejects(show(place, lost.revoked), { code: 'Revoked' });
    await assert.rejects(logIn(place, lost.revokedToken, requestOf(N2, 'n2')), { code: 'Revoked' });
    await assert.rejects(show(place, lost.locked), { code: 'Locked' });
  });

  test('has a whole audit log, which goes on and gets its checkpoints in the new place', async () => {
    assert.deepEqual(await findingsIn(place), []);
    place.clock.advance(DAY_MS);
    await sealAudit(place.deps, place.run);
    assert.deepEqual(await findingsIn(place), []);
    for (const chain of ['alpha', 'management']) {
      assert.ok((await place.checkpoints.list(chain)).length > 0, chain);
    }
  });

  test('makes anew what the lost client vault had, when reconcile and renew-due have run', async () => {
    await runTimer(place.deps, place.run, 'reconcile', reconcile);
    await place.tick();
    await sealAudit(place.deps, place.run);
    const query = { cluster: null, state: null, limit: 100, cursor: null };
    const { identities } = await getStatus(place.deps, query);
    for (const { identity, state } of identities.filter(({ identity }) => identity.delivery === 'vault')) {
      assert.equal(state, 'Healthy', identity.name);
      assert.equal(
        place.clientVault.versions(`client--${identity.cluster}--${identity.name}`.toLowerCase()).length,
        1,
      );
    }
  });

  test('tells in its audit log that it was restored', async () => {
    const query = {
      chain: FLEET_CHAIN,
      type: 'backup-restored',
      from: null,
      before: null,
      limit: 10,
      cursor: null,
    } as const;
    const [event] = (await getEvents(place.deps, query)).items;
    assert.equal(
      event?.details['createdAt'],
      lost.world.backups.names()[0]?.replace(/(T..)(..)(..Z).*/, '$1:$2:$3'),
    );
  });

  test('seals on beside the checkpoints of what was lost, and the verifier tells what that was', async () => {
    const { world } = lost;
    await logIn(world, lost.nodeToken, requestOf(N1, 'somebody after the backup'));
    world.clock.advance(HOUR_MS);
    await sealAudit(world.deps, world.run);
    const same = emptyPlace(lost);
    for (const chain of ['alpha', 'management', FLEET_CHAIN]) {
      for (const seq of await world.checkpoints.list(chain)) {
        await same.checkpoints.put(chain, seq, (await world.checkpoints.get(chain, seq)) ?? '');
      }
    }
    const report = await restoreInto(same, opened(lost.file));
    assert.deepEqual(
      report.lost.map(({ chain }) => chain),
      [FLEET_CHAIN, 'alpha'],
    );
    for (let day = 0; day < 3; day++) {
      same.clock.advance(DAY_MS);
      await logIn(same, lost.nodeToken, requestOf(N1, `n1 on day ${day}`));
      await runTimer(same.deps, same.run, 'seal-audit', sealAudit);
    }
    const found = await findingsIn(same);
    assert.deepEqual([...new Set(found.map(({ chain, damage }) => `${chain} ${damage}`))].sort(), [
      '_fleet forged',
      'alpha forged',
    ]);
  });

  test('is backed up again', async () => {
    assert.ok((await backUp(place)).length > 0);
  });
});

describe('50 a backup', () => {
  test('is written once in twenty hours, whenever and however often the timer ticks', async () => {
    const world = memoryWorld();
    await startWorld(world);
    const tick = () => runTimer(world.deps, world.run, 'backup', writeBackup);
    for (let hour = 0; hour < 60; hour++) {
      await Promise.all([tick(), tick()]);
      world.clock.advance(HOUR_MS);
    }
    assert.equal(world.backups.names().length, 3);
    assert.match(world.backups.names()[0] ?? '', /^2026-11-21T080000Z-[0-9a-f]{8}\.age$/);
    const query = {
      chain: FLEET_CHAIN,
      type: 'backup-written',
      from: null,
      before: null,
      limit: 10,
      cursor: null,
    } as const;
    const { items } = await getEvents(world.deps, query);
    assert.deepEqual(
      items.map(({ details }) => details['name']),
      world.backups.names(),
    );
    const [name = ''] = world.backups.names();
    const file = world.backups.content(name) ?? new Uint8Array();
    const sha256 = toHex(nodeDigest.sha256(file));
    assert.deepEqual([items[0]?.details['sha256'], items[0]?.details['size']], [sha256, file.length]);
  });

  test('is not written where nobody could open it, and status says so', async () => {
    const world = memoryWorld();
    await startWorld(world);
    const deps: Deps = { ...world.deps, backupCipher: null };
    await runTimer(deps, world.run, 'backup', writeBackup);
    assert.deepEqual(world.backups.names(), []);
    const query = { cluster: null, state: null, limit: 100, cursor: null };
    const codes = async (used: Deps) => (await getStatus(used, query)).reasons.map(({ code }) => code);
    assert.deepEqual(await codes(deps), ['BackupNotConfigured']);
    assert.deepEqual(await codes(world.deps), []);
  });

  test('that cannot be written whole is not there, and the next tick tries again', async () => {
    const world = memoryWorld();
    await startWorld(world);
    const tick = (deps = world.deps) => runTimer(deps, world.run, 'backup', writeBackup);
    const broken = refuseCalls(world.deps, ({ port }) => port === 'vaultBackup');
    await assert.rejects(tick(broken), { code: 'VaultUnavailable' });
    assert.deepEqual(world.backups.names(), []);
    world.authoritySecrets.softDelete(VAULT_ROTATION_KEY_NAME);
    await assert.rejects(tick(), { code: 'NotFound', message: /no secret "rotation-key"/ });
    world.authoritySecrets.recover(VAULT_ROTATION_KEY_NAME);
    await tick();
    assert.equal(world.backups.names().length, 1);
  });

  test('has the keys of every authority that may still be asked to sign, and is not made without one', async () => {
    const world = memoryWorld();
    await startWorld(world);
    const [active] = await world.deps.fleet.authorities();
    assert.ok(active !== undefined);
    await world.deps.fleet.insertAuthority({ ...active, id: 'b2b2b2b2', state: 'Retired' });
    // Its certificate is signed, and the vault has lost its key: an operator cancels it.
    await world.deps.fleet.insertAuthority({ ...active, id: 'd4d4d4d4', state: 'Creating' });
    const text = await textOf(opened(await backUp(world)));
    assert.match(text, new RegExp(`"kind":"vault".*"${vaultAuthorityName(active.id)}"`));
    assert.doesNotMatch(text, /"kind":"vault".*b2b2b2b2/);
    await world.deps.fleet.insertAuthority({ ...active, id: 'c3c3c3c3', state: 'Revoked' });
    world.clock.advance(DAY_MS);
    await assert.rejects(backUp(world), {
      code: 'NotFound',
      message: /no certificate "authority--c3c3c3c3"/,
    });
  });

  test('shows no secret of the fleet even to whoever may open it', async () => {
    const { world, file } = await lostFleet();
    const text = await textOf(opened(file));
    const rotationKey = world.authoritySecrets.versions(VAULT_ROTATION_KEY_NAME)[0]?.value.reveal();
    assert.ok(!text.includes(rotationKey ?? ''));
    assert.doesNotMatch(text, /elt1_|PRIVATE KEY/);
    assert.doesNotMatch(Buffer.from(file).toString('latin1'), /kubelet|everleaf|"kind"/);
  });
});
