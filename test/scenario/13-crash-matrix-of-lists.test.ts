/** The crash matrix of revocation lists: see 13-crash-matrix.test.ts. */
import assert from 'node:assert/strict';
import { HOUR_MS } from '../../shared/domain/instants.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { publishAtOnce } from '../../shared/use-cases/publish-crl.ts';
import { revoke } from '../../shared/use-cases/revoke.ts';
import { NODE_AGENT } from '../support/agent.ts';
import { hoursPass, type Scene } from '../support/crash-flows.ts';
import { crashMatrix, type Step } from '../support/crash-matrix.ts';
import type { World } from '../support/memory-world.ts';
import { firstCertificate } from '../support/proving-agent.ts';
import { listedReasons, onlyAuthorityId, publish, servedList } from '../support/revocation-lists.ts';

const PUBLISHED: readonly Step[] = [
  ['vault: sign', 'signer.sign'],
  ['file: the list', 'crlFiles.put'],
  ['record: published', 'identities.commit'],
  ['row: the list that is served', 'crl.replaceState'],
];

/** A worker has the message; when it dies, the timer sees to the rest. */
async function listScene(world: World, isRevoked: boolean): Promise<Scene> {
  await firstStart(world.deps, world.run);
  const held = await firstCertificate(world);
  const all = { instance: null, serialNumber: null };
  if (isRevoked) {
    await publish(world);
    await revoke(world.deps, world.run, NODE_AGENT, all, 'keyCompromise');
  }
  world.queue.takeAnnouncements();
  return {
    act: (deps) => publishAtOnce(deps, world.run),
    goOn: async () => {
      await hoursPass(world);
      world.clock.advance(HOUR_MS);
      await publish(world);
      const expected = isRevoked ? { [held.answer.serialNumber]: 'keyCompromise' } : {};
      assert.deepEqual(await listedReasons(world), expected);
      assert.deepEqual(await world.deps.crl.notes(1), []);
      const id = await onlyAuthorityId(world);
      const { number } = await servedList(world, id);
      const state = await world.deps.crl.state(id);
      assert.ok(BigInt(state?.value.lastNumber ?? 0) >= number, 'no number is taken twice');
      return [held.certificate];
    },
  };
}

crashMatrix([
  {
    title: 'an authority’s first list',
    steps: [['row: number', 'crl.insertState'], ...PUBLISHED],
    prepare: (world) => listScene(world, false),
  },
  {
    title: 'a list after a revocation',
    steps: [
      ['row: listed', 'crl.changeListed'],
      ['row: number', 'crl.replaceState'],
      ...PUBLISHED,
      ['rows: notes go', 'crl.removeNotes'],
    ],
    prepare: (world) => listScene(world, true),
  },
]);
