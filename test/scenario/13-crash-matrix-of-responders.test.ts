/** The crash matrix of OCSP responders and of what they sign: see 13-crash-matrix.test.ts. */
import assert from 'node:assert/strict';
import { DAY_MS, HOUR_MS } from '../../shared/domain/instants.ts';
import { vaultResponderName } from '../../shared/domain/names.ts';
import { answerOcsp } from '../../shared/use-cases/answer-ocsp.ts';
import { readActiveAuthority } from '../../shared/use-cases/authorities.ts';
import { ensureDeployment } from '../../shared/use-cases/deployment.ts';
import { ensureAuthority } from '../../shared/use-cases/first-start.ts';
import { renewResponders } from '../../shared/use-cases/renew-responders.ts';
import type { Scene } from '../support/crash-flows.ts';
import { crashMatrix } from '../support/crash-matrix.ts';
import type { World } from '../support/memory-world.ts';
import { questionAbout, readAnswer } from '../support/ocsp.ts';

/** An authority with its responder, and nothing else that a deployment has. */
async function haveAuthority({ deps, run }: World): Promise<void> {
  await ensureDeployment(deps);
  await ensureAuthority(deps, run);
  await renewResponders(deps, run);
}

/** The first responder is half spent; the next tick of the timer finds what a run that died has left. */
async function renewalScene(world: World): Promise<Scene> {
  await haveAuthority(world);
  world.clock.advance(4 * DAY_MS);
  return {
    act: (deps) => renewResponders(deps, world.run),
    goOn: async () => {
      const { deps, run, authorityVault } = world;
      const { id } = await readActiveAuthority(deps);
      const begun = (await deps.ocsp.responder(id))?.value.attempt;
      world.clock.advance(6 * HOUR_MS);
      await renewResponders(deps, run);
      const responder = (await deps.ocsp.responder(id))?.value;
      const [newest, first, ...more] = responder?.certificates ?? [];
      assert.deepEqual([responder?.attempt, more.length], [null, 0]);
      assert.equal(newest?.serialNumber, begun?.serialNumber ?? newest?.serialNumber);
      const versions = authorityVault.versions(vaultResponderName(id));
      assert.deepEqual(
        versions.map(({ keyId, der }) => [keyId, der]),
        [first, newest].map((one) => [one?.keyId, one?.certificate]),
      );
      await assertAnswered(world);
      return [];
    },
  };
}

/** Somebody asks about the authority's own certificate, and once more when that came to nothing. */
async function answerScene(world: World): Promise<Scene> {
  await haveAuthority(world);
  const request = questionAbout(await readActiveAuthority(world.deps), [
    (await readActiveAuthority(world.deps)).serialNumber,
  ]);
  return {
    act: (deps) => answerOcsp(deps, world.run, request, true),
    goOn: async () => {
      await assertAnswered(world);
      return [];
    },
  };
}

async function assertAnswered({ deps, run }: World): Promise<void> {
  const authority = await readActiveAuthority(deps);
  const { der } = await answerOcsp(deps, run, questionAbout(authority, [authority.serialNumber]), true);
  assert.equal(readAnswer(der).responses[0]?.status.kind, 'good');
}

crashMatrix([
  {
    title: 'renewal of an OCSP responder',
    steps: [
      ['record: attempt', 'ocsp.replaceResponder'],
      ['owner of the serial number', 'identities.claimSerial'],
      ['authority vault: create', 'authorityVault.request'],
      ['record: hash of the key', 'ocsp.replaceResponder'],
      ['authority vault: sign', 'signer.sign'],
      ['record: the certificate', 'ocsp.replaceResponder'],
      ['authority vault: merge', 'authorityVault.merge'],
      ['event: renewed', 'identities.commit'],
      ['record: in force', 'ocsp.replaceResponder'],
      ['ended answers removed', 'ocsp.removeAnswersBefore'],
    ],
    prepare: renewalScene,
  },
  {
    title: 'an OCSP answer',
    steps: [
      ['the count of signatures', 'counters.add'],
      ['authority vault: sign', 'signer.sign'],
      ['the answer is kept', 'ocsp.putAnswer'],
    ],
    prepare: answerScene,
  },
]);
