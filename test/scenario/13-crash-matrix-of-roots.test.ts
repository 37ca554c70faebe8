/** The crash matrix of authorities below an outside root: see 13-crash-matrix.test.ts. */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { ensureDeployment, pinDeployment } from '../../shared/use-cases/deployment.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { ensureAuthority, firstStart } from '../../shared/use-cases/first-start.ts';
import { readOutsideCertificate } from '../../shared/use-cases/outside-certificate.ts';
import { readOutsideRequest } from '../../shared/use-cases/outside-request.ts';
import { takeOutsideCertificate } from '../../shared/use-cases/take-outside-certificate.ts';
import { crashMatrix } from '../support/crash-matrix.ts';
import type { World } from '../support/memory-world.ts';
import { OutsideRoot } from '../support/outside-root.ts';

const AUTHORITY_ID = 'a1a1a1a1';

const root = new OutsideRoot(new Date('2026-11-21T08:00:00Z'));
after(() => root.remove());

const below = (deps: Deps): Deps => ({ ...deps, policy: { ...deps.policy, authorityRoot: 'outside' } });

async function beforeTheAuthority(world: World): Promise<void> {
  await ensureDeployment(world.deps);
  await pinDeployment(world.deps, () => ({ activeAuthorityId: AUTHORITY_ID }));
}

async function signRequest(world: World) {
  const csr = await readOutsideRequest(below(world.deps), world.run, AUTHORITY_ID);
  return readOutsideCertificate({ certificate: root.sign(csr), chain: root.pem });
}

crashMatrix([
  {
    title: 'a request for an outside root',
    steps: [
      ['record: attempt', 'fleet.insertAuthority'],
      ['vault: key and request', 'authorityVault.request'],
      ['record: hash of the key', 'fleet.replaceAuthority'],
    ],
    prepare: async (world) => {
      await beforeTheAuthority(world);
      return {
        act: (deps) => ensureAuthority(below(deps), world.run),
        goOn: async () => {
          assert.equal(await ensureAuthority(below(world.deps), world.run), false);
          await takeOutsideCertificate(below(world.deps), world.run, AUTHORITY_ID, await signRequest(world));
          assert.deepEqual(await firstStart(below(world.deps), world.run), []);
          return [];
        },
      };
    },
  },
  {
    title: 'a certificate by an outside root',
    steps: [
      ['event: certificate taken', 'identities.commit'],
      ['record: certificate, issuers, dates', 'fleet.replaceAuthority'],
      ['vault: merge', 'authorityVault.merge'],
      ['event: prepared', 'identities.commit'],
      ['record: prepared', 'fleet.replaceAuthority'],
    ],
    prepare: async (world) => {
      await beforeTheAuthority(world);
      assert.equal(await ensureAuthority(below(world.deps), world.run), false);
      const given = await signRequest(world);
      return {
        act: (deps) => takeOutsideCertificate(below(deps), world.run, AUTHORITY_ID, given),
        goOn: async () => {
          const isRecorded = (await world.deps.fleet.authority(AUTHORITY_ID))?.value.certificate != null;
          // Once it is written down nobody has to bring it again.
          if (!isRecorded) await takeOutsideCertificate(below(world.deps), world.run, AUTHORITY_ID, given);
          assert.deepEqual(await firstStart(below(world.deps), world.run), []);
          return [];
        },
      };
    },
  },
]);
