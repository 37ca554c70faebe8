import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { readCluster } from '../../shared/use-cases/clusters.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { operationLoginFiles } from '../../shared/use-cases/operation-login-files.ts';
import { identityOf, logIn, requestOf, tokenFromVault } from '../support/agent.ts';
import { create, look, repair } from '../support/clusters.ts';
import { assertWhole } from '../support/inspect-world.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';

const KMS = { cluster: 'alpha', name: 'KMS' };
const NODE = { cluster: 'alpha', name: 'kubelet-n1' };
const everybody = async () => true;

async function updated(world: World): Promise<string> {
  const { id } = await repair(world, 'update');
  await world.tick();
  return id;
}

test('24 with an update validity restarts at today, for every certificate and token', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  await create(world);
  await world.tick();
  world.clock.advance(20 * DAY_MS);
  const id = await updated(world);
  const today = world.clock.now().getTime();
  assert.equal((await readCluster(world.deps, 'alpha')).value.updatedAt.getTime(), today);
  for (const name of ['KMS', 'CSI', 'CertManager', 'CloudProvider']) {
    const { certificate, token } = await identityOf(world, { cluster: 'alpha', name });
    assert.equal(certificate.head?.issuedAt.getTime(), today, name);
    assert.equal(certificate.head?.notAfter.getTime(), today + 90 * DAY_MS - 1000, name);
    assert.equal(token.expiresAt.getTime(), today + 90 * DAY_MS - 1000, name);
  }
  for (const node of ['kubelet-n1', 'kubelet-n2']) {
    const { token } = await identityOf(world, { cluster: 'alpha', name: node });
    assert.equal(token.expiresAt.getTime(), today + 90 * DAY_MS - 1000, node);
  }
  assert.equal((await look(world, id)).counts.done, 8);
  await assertWhole(world);
});

test('24 the management cluster is updated like any other', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  world.clock.advance(DAY_MS);
  const { id } = await repair(world, 'update', { cluster: 'management' });
  await world.tick();
  const { counts, state } = await look(world, id);
  assert.deepEqual([state, counts.done, counts.waiting], ['partial', 16, 4]);
});

test('24 a node that was off during two monthly updates comes back with the login file it has', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const { loginFiles } = await create(world);
  const own = loginFiles[0]?.token.reveal() ?? '';
  await logIn(world, own, requestOf(NODE, 'n1'));
  for (let month = 0; month < 2; month++) {
    world.clock.advance(30 * DAY_MS);
    await updated(world);
  }
  assert.equal((await identityOf(world, NODE)).token.generation, 2);
  const back = await logIn(world, own, requestOf(NODE, 'n1'));
  assert.equal(back.identity.name, 'kubelet-n1');
});

test('24 a node that takes the second update’s login file ends every token before it', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const { loginFiles } = await create(world);
  const own = loginFiles[0]?.token.reveal() ?? '';
  await logIn(world, own, requestOf(NODE, 'n1'));
  const tokens: string[] = [];
  for (let month = 0; month < 2; month++) {
    world.clock.advance(30 * DAY_MS);
    const id = await updated(world);
    const files = await operationLoginFiles(world.deps, world.run, id, everybody);
    tokens.push(files.find(({ name }) => name === NODE.name)?.token.reveal() ?? '');
  }
  const [first = '', second = ''] = tokens;
  assert.notEqual(first, second);
  await logIn(world, second, requestOf(NODE, 'n1'));
  for (const earlier of [own, first]) {
    await assert.rejects(logIn(world, earlier, requestOf(NODE, 'n1')), { code: 'Expired' });
  }
});

test('24 a client of the vault that was off during two updates finds a token that works', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  await create(world);
  await world.tick();
  const held = tokenFromVault(world, KMS);
  for (let month = 0; month < 2; month++) {
    world.clock.advance(30 * DAY_MS);
    await updated(world);
  }
  await logIn(world, held, null);
  await logIn(world, tokenFromVault(world, KMS), null);
  await assert.rejects(logIn(world, held, null), { code: 'Expired' });
});
