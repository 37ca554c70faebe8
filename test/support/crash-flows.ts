import assert from 'node:assert/strict';
import { FLEET_CHAIN, SEAL_AFTER_MS } from '../../shared/domain/audit.ts';
import { toHex } from '../../shared/domain/encoding.ts';
import type { CertificateAttempt, CredentialKind } from '../../shared/domain/identity.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../shared/domain/instants.ts';
import type { IdentityId } from '../../shared/domain/names.ts';
import { RECORD_SHARDS, shardOf } from '../../shared/domain/sharding.ts';
import { decodeToken } from '../../shared/domain/token.ts';
import { parseCertificateRequest } from '../../shared/pki/certificate-request.ts';
import { spkiHash } from '../../shared/pki/public-key.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { doWork } from '../../shared/use-cases/do-work.ts';
import { renewDue } from '../../shared/use-cases/renew-due.ts';
import { sealAudit } from '../../shared/use-cases/seal-audit.ts';
import { certificateOf, identityOf, logIn, NODE_AGENT, requestOf, tokenFromLoginFile } from './agent.ts';
import type { World } from './memory-world.ts';
import { startWorld } from './started-world.ts';

/** One thing that the product does, and what whoever asked for it does afterwards. */
export interface Scene {
  act(deps: Deps): Promise<unknown>;
  /** What happens afterwards, whether or not the act was cut short; answers certificates that left the product. */
  goOn(): Promise<readonly Uint8Array[]>;
}

/** Every hour the timer ticks; whatever failed, or whose message was lost, has come up again after these. */
export async function hoursPass(world: World): Promise<void> {
  for (let hour = 0; hour < 8; hour++) {
    world.clock.advance(HOUR_MS + MINUTE_MS);
    await world.tick();
  }
}

/** NodeAgent logs in with a key of its own, and again until it has an answer. */
export async function loginScene(world: World): Promise<Scene> {
  await startWorld(world);
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const csr = requestOf(NODE_AGENT, 'node');
  return {
    act: (deps) => logIn(world, token, csr, deps),
    goOn: async () => {
      const begun = await loginAttempt(world, token, csr);
      // An attempt that nobody has finished is taken over after 30 seconds.
      world.clock.advance(31 * SECOND_MS);
      const first = await logIn(world, token, csr);
      assert.equal(first.serialNumber, begun?.serialNumber ?? first.serialNumber);
      const again = await logIn(world, token, csr);
      assert.equal(again.serialNumber, first.serialNumber);
      return [certificateOf(first), certificateOf(again)];
    },
  };
}

/** A credential of an identity is due for renewal, and its message has come. */
export async function renewalScene(world: World, id: IdentityId, kind: CredentialKind): Promise<Scene> {
  await startWorld(world);
  world.clock.advance(46 * DAY_MS);
  await renewDue(world.deps, world.run);
  const { generation } = (await identityOf(world, id))[kind];
  const item = world.queue
    .takeAll()
    .find(({ identity, ...one }) => identity.name === id.name && one.kind === kind);
  assert.equal(item?.generation, generation);
  return workScene(world, id, kind);
}

/** A worker that has the message of a credential; when it dies, the timer sees to the rest. */
export async function workScene(world: World, id: IdentityId, kind: CredentialKind): Promise<Scene> {
  const { generation } = (await identityOf(world, id))[kind];
  return {
    act: (deps) => doWork(deps, world.run, { v: 1, identity: id, kind, generation }),
    goOn: async () => {
      const begun = (await identityOf(world, id)).certificate.attempt;
      await hoursPass(world);
      const { head } = (await identityOf(world, id)).certificate;
      assert.equal(head?.serialNumber, begun?.serialNumber ?? head?.serialNumber);
      return [];
    },
  };
}

/** The events of the first start are old enough to be sealed; a run that dies leaves its lease to its end. */
export async function sealingScene(world: World): Promise<Scene> {
  await startWorld(world);
  await forgetFleetEvents(world);
  world.clock.advance(SEAL_AFTER_MS + MINUTE_MS);
  return {
    act: (deps) => sealAudit(deps, world.run),
    goOn: async () => {
      world.clock.advance(HOUR_MS);
      await sealAudit(world.deps, world.run);
      return [];
    },
  };
}

/** Chains are sealed at once: a scene of one chain alone has its steps in one order. */
async function forgetFleetEvents({ tables: { record } }: World): Promise<void> {
  const partition = String(shardOf(FLEET_CHAIN, RECORD_SHARDS)).padStart(2, '0');
  const rows = await record.range(partition, 'o|', 'o}', 100);
  const fleet = rows.filter(({ data }) => data.includes('"type":"authority-'));
  await record.commit(
    partition,
    fleet.map(({ key }) => ({ op: 'remove', key }) as const),
  );
}

/** A chain that has a checkpoint already goes on. */
export async function furtherSealingScene(world: World): Promise<Scene> {
  const scene = await sealingScene(world);
  await scene.act(world.deps);
  await logIn(world, await tokenFromLoginFile(world, NODE_AGENT), requestOf(NODE_AGENT, 'node'));
  world.clock.advance(SEAL_AFTER_MS + MINUTE_MS);
  return scene;
}

/** What a login wrote down before it signed, finished or not; null when it did not come that far. */
async function loginAttempt(world: World, token: string, csr: string): Promise<CertificateAttempt | null> {
  const decoded = decodeToken(token);
  assert.ok(typeof decoded !== 'string');
  const hash = spkiHash(parseCertificateRequest(csr).spki);
  const row = await world.deps.identities.issuance(NODE_AGENT.cluster, toHex(decoded.id), hash);
  return row?.value.attempt ?? null;
}
