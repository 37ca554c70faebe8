/**
 * The crash matrix: every write of every flow, in the order of ARCHITECTURE.md ("The order of writes"), times every kind
 * of kill. Test 06 tries the reads in between as well; this one names the steps, and fails when a flow writes anything
 * that stands in no row here.
 */
import assert from 'node:assert/strict';
import { MANAGEMENT_CLUSTER } from '../../shared/domain/names.ts';
import { createIdentity } from '../../shared/use-cases/create-identity.ts';
import { ensureDeployment, pinDeployment } from '../../shared/use-cases/deployment.ts';
import { ensureAuthority, firstStart } from '../../shared/use-cases/first-start.ts';
import { readRotationKey } from '../../shared/use-cases/tokens.ts';
import { KMS, management } from '../support/agent.ts';
import {
  furtherSealingScene,
  loginScene,
  renewalScene,
  sealingScene,
  workScene,
} from '../support/crash-flows.ts';
import { crashMatrix, type Flow, type Step } from '../support/crash-matrix.ts';

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
      ['event: prepared', 'identities.commit'],
      ['record: prepared', 'fleet.replaceAuthority'],
      ['event: published', 'identities.commit'],
      ['record: published', 'fleet.commit'],
      ['event: activated', 'identities.commit'],
      ['record: active', 'fleet.commit'],
    ],
    prepare: async (world) => {
      await ensureDeployment(world.deps);
      await pinDeployment(world.deps, () => ({ activeAuthorityId: AUTHORITY_ID }));
      return {
        act: (deps) => ensureAuthority(deps, world.run),
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
  {
    title: 'sealing goes on',
    steps: [
      ['record: entries, head', 'audit.append'],
      ['authority vault: sign', 'signer.sign'],
      ['blob: the checkpoint', 'checkpoints.put'],
      ['record: checkpoint in the head', 'audit.replaceHead'],
    ],
    prepare: furtherSealingScene,
  },
];

crashMatrix(FLOWS);
