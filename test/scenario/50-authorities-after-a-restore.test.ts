/** What verifiers get of a fleet that was restored: lists with higher numbers, and OCSP answers. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { CopyFamily } from '../../shared/adapters/memory/memory-copies.ts';
import { DAY_MS, HOUR_MS } from '../../shared/domain/instants.ts';
import { vaultAuthorityName } from '../../shared/domain/names.ts';
import { answerOcsp } from '../../shared/use-cases/answer-ocsp.ts';
import { readActiveAuthority } from '../../shared/use-cases/authorities.ts';
import { activateByHand, prepareByHand } from '../../shared/use-cases/manage-authorities.ts';
import { renewResponders } from '../../shared/use-cases/renew-responders.ts';
import { revoke } from '../../shared/use-cases/revoke.ts';
import { rollAuthority } from '../../shared/use-cases/roll-authority.ts';
import { runTimer } from '../../shared/use-cases/run-timer.ts';
import { logIn, NODE_AGENT, requestOf, tokenFromLoginFile } from '../support/agent.ts';
import { backUp, opened, restoreInto } from '../support/backups.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { questionAbout, readAnswer } from '../support/ocsp.ts';
import { publish, servedList } from '../support/revocation-lists.ts';
import { startWorld } from '../support/started-world.ts';

async function statusOf(world: World, serialNumber: string): Promise<string> {
  const question = questionAbout(await readActiveAuthority(world.deps), [serialNumber]);
  const { der } = await answerOcsp(world.deps, world.run, question, true);
  return readAnswer(der).responses[0]?.status.kind ?? '';
}

/** Another place, an hour later, with nothing in it. */
async function restored(world: World, family: CopyFamily, file: Uint8Array): Promise<World> {
  const place = memoryWorld({}, undefined, { family, authorityVaultUrl: 'https://another.vault.test' });
  place.clock.advance(world.clock.now().getTime() - place.clock.now().getTime() + HOUR_MS);
  await restoreInto(place, opened(file));
  return place;
}

describe('50 a restored fleet', () => {
  let place: World;
  let authorityId: string;
  let serials: { good: string; revoked: string };
  let lastNumber: bigint;

  before(async () => {
    const family: CopyFamily = new Map();
    const world = memoryWorld({}, undefined, { family });
    await startWorld(world);
    authorityId = (await readActiveAuthority(world.deps)).id;
    const token = await tokenFromLoginFile(world, NODE_AGENT);
    const login = (owner: string) => logIn(world, token, requestOf(NODE_AGENT, owner));
    const [good, revoked] = [await login('good'), await login('revoked')];
    serials = { good: good.serialNumber, revoked: revoked.serialNumber };
    const part = { instance: null, serialNumber: serials.revoked };
    await revoke(world.deps, world.run, NODE_AGENT, part, 'superseded');
    await publish(world);
    const file = await backUp(world);
    // After the backup the lost place published more lists than the backup knows of.
    for (let day = 0; day < 2; day++) {
      world.clock.advance(DAY_MS);
      await publish(world);
    }
    lastNumber = (await servedList(world, authorityId)).number;
    place = await restored(world, family, file);
  });

  test('answers OCSP at once, with the keys that the backup brought', async () => {
    assert.equal(await statusOf(place, serials.good), 'good');
    assert.equal(await statusOf(place, serials.revoked), 'revoked');
    const responder = (await place.deps.ocsp.responder(authorityId))?.value;
    assert.match(
      responder?.certificates[0]?.keyId ?? '',
      /^https:\/\/another\.vault\.test\/keys\/responder--/,
    );
  });

  test('publishes lists under numbers above all that were published', async () => {
    await publish(place);
    const list = await servedList(place, authorityId);
    assert.ok(list.number > lastNumber, `${list.number} after ${lastNumber}`);
    assert.deepEqual(
      [...list.entries()].map(({ serialNumber }) => serialNumber),
      [serials.revoked],
    );
  });

  test('goes on renewing its responders', async () => {
    place.clock.advance(4 * DAY_MS);
    assert.deepEqual((await renewResponders(place.deps, place.run))?.renewed, [authorityId]);
    assert.equal(await statusOf(place, serials.good), 'good');
  });
});

test('50 beside the lists of the lost place a new one is published at once: none may go back to a lower number', async () => {
  const family: CopyFamily = new Map();
  const world = memoryWorld({}, undefined, { family });
  await startWorld(world);
  const { id } = await readActiveAuthority(world.deps);
  const { serialNumber } = await logIn(
    world,
    await tokenFromLoginFile(world, NODE_AGENT),
    requestOf(NODE_AGENT, 'node'),
  );
  await publish(world);
  const file = await backUp(world);
  world.clock.advance(HOUR_MS);
  await revoke(world.deps, world.run, NODE_AGENT, { instance: null, serialNumber }, 'superseded');
  await publish(world);
  const { number } = await servedList(world, id);
  const place = await restored(world, family, file);
  const deps = { ...place.deps, crlFiles: world.deps.crlFiles };
  assert.equal(await publish(place, deps), 1);
  assert.ok((await servedList({ deps }, id)).number > number);
  assert.equal(await publish(place, deps), 0, 'once');
});

test('50 an authority that was retired and has its last list before it signs that list in the new place', async () => {
  const family: CopyFamily = new Map();
  const world = memoryWorld({}, undefined, { family });
  await startWorld(world);
  const first = await readActiveAuthority(world.deps);
  const next = await prepareByHand(world.deps, world.run);
  await activateByHand(world.deps, world.run, next.id, true);
  world.clock.advance(91 * DAY_MS);
  await runTimer(world.deps, world.run, 'roll-authority', rollAuthority);
  const retired = (await world.deps.fleet.authority(first.id))?.value;
  assert.deepEqual([retired?.state, retired?.keyDisabledAt], ['Retired', null]);
  const place = await restored(world, family, await backUp(world));
  assert.ok(place.authorityVault.names().includes(vaultAuthorityName(first.id)));
  await publish(place);
  const list = await servedList(place, first.id);
  assert.ok(list.nextUpdate > first.notAfter);
});
