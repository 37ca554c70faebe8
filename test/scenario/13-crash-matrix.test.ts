/**
 * The crash matrix: every write of every flow, in the order of ARCHITECTURE.md ("The order of writes"), times every kind
 * of kill. Test 06 tries the reads in between as well; this one names the steps, and fails when a flow writes anything
 * that stands in no row here.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { MANAGEMENT_CLUSTER, vaultAuthorityName } from '../../shared/domain/names.ts';
import { createAuthority } from '../../shared/use-cases/create-authority.ts';
import { createIdentity } from '../../shared/use-cases/create-identity.ts';
import { ensureDeployment, pinDeployment } from '../../shared/use-cases/deployment.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { readRotationKey } from '../../shared/use-cases/tokens.ts';
import { KMS, management } from '../support/agent.ts';
import { clusterScene, deletionScene, updateScene } from '../support/crash-clusters.ts';
import {
  firstUseScene,
  loginScene,
  proofScene,
  renewalScene,
  type Scene,
  sealingScene,
  workScene,
} from '../support/crash-flows.ts';
import { dieBefore, type Fault, loseAnswer } from '../support/faults.ts';
import { assertWhole, takeInventory } from '../support/inspect-world.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';

/** A write of a flow: its step as ARCHITECTURE.md has it, and the call that it is. */
type Step = readonly [title: string, call: string];

interface Flow {
  readonly title: string;
  readonly steps: readonly Step[];
  prepare(world: World): Promise<Scene>;
}

const AUTHORITY_ID = 'a1a1a1a1';

const CERTIFICATE_STEPS: readonly Step[] = [
  ['1 record: attempt', 'identities.commit'],
  ['2 owner of the serial number', 'identities.claimSerial'],
  ['3 client vault: create', 'clientVault.request'],
  ['4 record: hash of the key', 'identities.commit'],
  ['4 owner of the key', 'identities.claimKey'],
  ['5 authority vault: sign', 'signer.sign'],
  ['6 record: the certificate', 'identities.commit'],
  ['7 client vault: merge', 'clientVault.merge'],
  ['8 record: head, due row, event', 'identities.commit'],
];

const FLOWS: readonly Flow[] = [
  {
    title: 'login',
    steps: [
      ['4 owner of the key', 'identities.claimKey'],
      ['1 record: attempt', 'identities.commit'],
      ['2 owner of the serial number', 'identities.claimSerial'],
      ['5 authority vault: sign', 'signer.sign'],
      ['6 + 8 record: certificate, head', 'identities.commit'],
    ],
    prepare: loginScene,
  },
  {
    title: 'renewal with proof',
    steps: [
      ['record: the head was used', 'identities.commit'],
      ['4 owner of the key', 'identities.claimKey'],
      ['1 record: attempt', 'identities.commit'],
      ['2 owner of the serial number', 'identities.claimSerial'],
      ['5 authority vault: sign', 'signer.sign'],
      ['6 + 8 record: certificate, line', 'identities.commit'],
    ],
    prepare: proofScene,
  },
  {
    title: 'first use of a successor',
    steps: [['record: the new head', 'identities.commit']],
    prepare: firstUseScene,
  },
  {
    title: 'first certificate',
    steps: CERTIFICATE_STEPS,
    prepare: async (world) => {
      await firstStart(world.deps, world.run);
      const rotationKey = await readRotationKey(world.deps);
      await createIdentity(world.deps, world.run, rotationKey, MANAGEMENT_CLUSTER, {
        name: 'Newcomer',
        clientType: 'ExternalClient',
        delivery: 'vault',
        credentials: 'cloud',
      });
      return workScene(world, management('Newcomer'), 'certificate');
    },
  },
  {
    title: 'renewal',
    steps: CERTIFICATE_STEPS,
    prepare: (world) => renewalScene(world, KMS, 'certificate'),
  },
  {
    title: 'token rotation',
    steps: [
      ['record: successor', 'identities.commit'],
      ['client vault: the token', 'clientSecrets.write'],
      ['record: delivery', 'identities.commit'],
    ],
    prepare: (world) => renewalScene(world, KMS, 'token'),
  },
  {
    title: 'a cluster is made',
    steps: [
      ['record: cluster, Creating', 'fleet.insertCluster'],
      ['record: its client KMS', 'identities.commit'],
      ['record: its client CSI', 'identities.commit'],
      ['record: its client CertManager', 'identities.commit'],
      ['record: its client CloudProvider', 'identities.commit'],
      ['record: the node’s client', 'identities.commit'],
      ['record: operation with its items', 'operations.insert'],
      ['queue: the operation', 'queue.sendOperation'],
      ['record: event', 'identities.commit'],
      ['record: cluster, Active', 'fleet.replaceCluster'],
    ],
    prepare: clusterScene,
  },
  {
    title: 'an update',
    steps: [
      ['record: operation with its items', 'operations.insert'],
      ['queue: the operation', 'queue.sendOperation'],
      ['record: cluster, updatedAt', 'fleet.replaceCluster'],
      ['record: certificate wanted', 'identities.commit'],
      ['record: token wanted', 'identities.commit'],
      ['record: the node is asked', 'identities.commit'],
      ['record: the node’s new token', 'identities.commit'],
      ['record: certificate enqueued', 'identities.commit'],
      ['queue: the certificate', 'queue.send'],
      ['record: token enqueued', 'identities.commit'],
      ['queue: the token', 'queue.send'],
    ],
    prepare: updateScene,
  },
  {
    title: 'a cluster is deleted',
    steps: [
      ['record: cluster, Deleting', 'fleet.replaceCluster'],
      ['record: operation with its items', 'operations.insert'],
      ['queue: the operation', 'queue.sendOperation'],
      ['record: the node deleted', 'identities.commit'],
      ['record: the client deleted', 'identities.commit'],
      ['client vault: what waits', 'clientVault.discardPending'],
      ['client vault: key disabled', 'clientVault.disable'],
      ['record: event', 'identities.commit'],
      ['record: cluster, Deleted', 'fleet.replaceCluster'],
      ['record: operation finished', 'operations.finish'],
    ],
    prepare: deletionScene,
  },
  {
    title: 'birth of the authority',
    steps: [
      ['record: attempt', 'fleet.insertAuthority'],
      ['owner of the serial number', 'identities.claimSerial'],
      ['vault: self-signed, for the key', 'authorityVault.createSelfSigned'],
      ['vault: sign', 'signer.sign'],
      ['record: the certificate', 'fleet.replaceAuthority'],
      ['vault: request with the same key', 'authorityVault.request'],
      ['vault: merge', 'authorityVault.merge'],
      ['vault: self-signed disabled', 'authorityVault.disable'],
      ['record: active', 'fleet.replaceAuthority'],
    ],
    prepare: async (world) => {
      await ensureDeployment(world.deps);
      await pinDeployment(world.deps, () => ({ activeAuthorityId: AUTHORITY_ID }));
      return {
        act: (deps) => createAuthority(deps, world.run, AUTHORITY_ID),
        goOn: async () => {
          assert.deepEqual(await firstStart(world.deps, world.run), []);
          return [];
        },
      };
    },
  },
  {
    title: 'sealing the audit log',
    steps: [
      ['record: entries, head', 'audit.append'],
      ['authority vault: signing key', 'authorityVault.createSelfSigned'],
      ['record: signing key', 'audit.putSigningKey'],
      ['authority vault: sign', 'signer.sign'],
      ['blob: the checkpoint', 'checkpoints.put'],
      ['record: checkpoint in the head', 'audit.replaceHead'],
    ],
    prepare: sealingScene,
  },
];

const KILLS: readonly { title: string; cause: (n: number, deps: Deps) => Fault }[] = [
  { title: 'dies before', cause: dieBefore },
  { title: 'answer lost', cause: loseAnswer },
];

/** Calls that change something outside the process. */
const WRITES =
  /\.(?:commit|claim\w+|add|countEvent|insert\w+|replace\w+|put\w*|request|createSelfSigned|merge|disable|discardPending|recover|write|sign|send\w*|append|insert|finish)$/;

const cells: { flow: string; step: string; kill: string; holds: boolean }[] = [];

after(() => {
  const rows = cells.map(({ flow, step, kill, holds }) =>
    [flow.padEnd(24), step.padEnd(34), kill.padEnd(13), holds ? 'ok' : 'FAILED'].join(''),
  );
  const held = cells.filter(({ holds }) => holds).length;
  console.log([...rows, `${held} of ${cells.length} cells hold.`].join('\n'));
});

/** Everything that there is at the end, to compare with the run without a kill. */
async function outcomeOf(world: World, scene: Scene) {
  await assertWhole(world, await scene.goOn());
  const authorities = (await world.deps.fleet.authorities()).map(({ id, state }) => ({
    state,
    versions: world.authorityVault.versions(vaultAuthorityName(id)).length,
  }));
  const partitions = Array.from({ length: world.deps.audit.partitions }, (_, partition) => partition);
  const heads = await Promise.all(partitions.map((partition) => world.deps.audit.heads(partition)));
  const chains = heads.flat().map(({ value }) => [value.chain, value.seq, value.checkpointSeq]);
  return { ...(await takeInventory(world)), authorities, chains };
}

for (const { title, steps, prepare } of FLOWS) {
  describe(`13 ${title}, killed at every step, comes to the same as without`, async () => {
    const undisturbed = memoryWorld();
    const scene = await prepare(undisturbed);
    const { deps, calls } = recordCalls(undisturbed.deps);
    await scene.act(deps);
    const expected = await outcomeOf(undisturbed, scene);
    const writes = calls.flatMap((call, i) => (WRITES.test(call) ? [{ call, n: i + 1 }] : []));

    test('the steps are all that it writes, in their order', () => {
      assert.deepEqual(
        writes.map(({ call }) => call),
        steps.map(([, call]) => call),
      );
    });

    for (const [i, [step]] of steps.entries()) {
      for (const kill of KILLS) {
        test(`${kill.title}: ${step}`, async () => {
          const cell = { flow: title, step, kill: kill.title, holds: false };
          cells.push(cell);
          const world = memoryWorld();
          const disturbed = await prepare(world);
          const fault = kill.cause(writes[i]?.n ?? 0, world.deps);
          await disturbed.act(fault.deps).catch(() => undefined);
          const hit = fault.hitAt();
          assert.equal(`${hit?.port}.${hit?.method}`, writes[i]?.call);
          assert.deepEqual(await outcomeOf(world, disturbed), expected);
          cell.holds = true;
        });
      }
    }
  });
}
