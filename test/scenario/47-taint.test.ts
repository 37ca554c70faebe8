import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { crossCrlLines } from '../../shared/domain/crl.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import type { Operation } from '../../shared/domain/operation.ts';
import { acknowledgeBundle } from '../../shared/use-cases/acknowledge-bundle.ts';
import { bundleOf } from '../../shared/use-cases/authorities.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { pauseTaint, planTaint, resumeTaint, taintByHand } from '../../shared/use-cases/manage-taint.ts';
import { tendTaints } from '../../shared/use-cases/taint-waves.ts';
import { identitiesSignedBy } from '../../shared/use-cases/tainted-identities.ts';
import { look } from '../support/clusters.ts';
import { dieBefore } from '../support/faults.ts';
import { allIdentities } from '../support/inspect-world.ts';
import type { World } from '../support/memory-world.ts';
import { type Held, renew, show } from '../support/proving-agent.ts';
import { type TaintFleet, taintFleet } from '../support/taint-fleet.ts';
import { assertTrusted } from '../support/trust.ts';

const [IN_VAULT, AGENTS] = [412, 80];
/** Clients of the management cluster whose certificates are in the vault. */
const MANAGEMENT = 8;
/** A vault that takes 60 keys from one scan to the next: less than a wave. */
const KEYS_PER_PERIOD = 60;
const POLICY = { vaultKeysPerMinute: KEYS_PER_PERIOD / 15, taintWaveSize: 100, taintWaveMinutes: 15 };

const authorityOf = async ({ deps }: World, id: string) => {
  const found = (await deps.fleet.authorities()).find((one) => one.id === id);
  assert.ok(found !== undefined);
  return found;
};

/** Versions in the client vault, all together: each was one key made. */
const keysMade = ({ clientVault }: World) =>
  clientVault.names().reduce((sum, name) => sum + clientVault.versions(name).length, 0);

const forced = async (world: World) =>
  (await allIdentities(world)).filter(({ certificate }) => certificate.forcedAt !== null).length;

describe('47 the key of the active authority is compromised, with 500 identities', () => {
  let fleet: TaintFleet;
  let world: World;
  let deps: Deps;
  let operation: Operation;
  let signatures = 0;
  let taintedAt: Date;
  let mostKeys = 0;

  /** A quarter of an hour passes, and the timer comes; the vault is never asked for more than it bears. */
  async function quarter(): Promise<void> {
    world.clock.advance(15 * MINUTE_MS);
    const made = keysMade(world);
    await world.tick(deps);
    mostKeys = Math.max(mostKeys, keysMade(world) - made);
    assert.ok(
      keysMade(world) - made <= KEYS_PER_PERIOD,
      'a period asked the vault for more keys than it bears',
    );
  }

  before(async () => {
    fleet = await taintFleet({ inVault: IN_VAULT, agents: AGENTS, policy: POLICY });
    world = fleet.world;
    const { signer } = world.deps;
    deps = {
      ...world.deps,
      signer: {
        sign: (...call) => {
          signatures += 1;
          return signer.sign(...call);
        },
      },
    };
  });

  test('47 a dry run names everybody and changes nothing', async () => {
    const { affected } = await planTaint(deps, fleet.authorityId);
    // Clients that have never logged in hold nothing.
    assert.equal(affected.length, IN_VAULT + AGENTS + MANAGEMENT);
    assert.equal((await authorityOf(world, fleet.authorityId)).state, 'Active');
  });

  test('47 tainted, it signs no more, and its successor signs at once', async () => {
    taintedAt = world.clock.now();
    operation = await taintByHand(deps, world.run, fleet.authorityId, 'the vault was open');
    assert.equal((await authorityOf(world, fleet.authorityId)).state, 'Tainted');
    const active = (await deps.fleet.authorities()).find(({ state }) => state === 'Active');
    assert.notEqual(active?.id ?? fleet.authorityId, fleet.authorityId);
    assert.equal((await taintByHand(deps, world.run, fleet.authorityId, 'again')).id, operation.id);
    const { counts, state } = await look(world, operation.id);
    assert.deepEqual([state, counts.total, counts.done], ['queued', IN_VAULT + AGENTS + MANAGEMENT, 0]);
  });

  test('47 a wave begins when the vault is done with the one before it', async () => {
    await quarter();
    assert.equal((await authorityOf(world, fleet.authorityId)).taint?.waves, 1);
    await quarter();
    await quarter();
    assert.equal((await authorityOf(world, fleet.authorityId)).taint?.waves, 2);
  });

  test('47 while it is paused nobody else is asked', async () => {
    await pauseTaint(deps, world.run, fleet.authorityId);
    for (let i = 0; i < 4; i++) await quarter();
    const [waves, waiting] = [
      (await authorityOf(world, fleet.authorityId)).taint?.waves,
      await forced(world),
    ];
    await quarter();
    assert.equal((await authorityOf(world, fleet.authorityId)).taint?.waves, waves);
    assert.equal(await forced(world), waiting);
    await resumeTaint(deps, world.run, fleet.authorityId);
  });

  test('47 a wave that is killed on the way is gone on with, and asks nobody twice', async () => {
    const isCommit = ({ port, method }: { port: string; method: string }) =>
      `${port}.${method}` === 'identities.commit';
    const { waves = 0 } = (await authorityOf(world, fleet.authorityId)).taint ?? {};
    world.clock.advance(15 * MINUTE_MS);
    await assert.rejects(tendTaints(dieBefore(20, deps, isCommit).deps, world.run));
    const before = await forced(world);
    await tendTaints(deps, world.run);
    const { taint } = await authorityOf(world, fleet.authorityId);
    assert.equal(taint?.waves, waves + 1);
    assert.ok((await forced(world)) > before);
    const asked = await forced(world);
    await tendTaints(deps, world.run);
    assert.equal(await forced(world), asked);
  });

  test('47 all waves come to their end, whatever the agents do', async () => {
    for (let i = 0; i < 40 && (await look(world, operation.id)).counts.done < IN_VAULT + MANAGEMENT; i++) {
      await quarter();
    }
    const { counts } = await look(world, operation.id);
    assert.deepEqual([counts.done, counts.waiting], [IN_VAULT + MANAGEMENT, AGENTS]);
    assert.equal((await look(world, operation.id)).state, 'partial');
    assert.equal((await authorityOf(world, fleet.authorityId)).state, 'Tainted');
  });

  test('47 agents read that they should renew, and their new certificates are the successor’s', async () => {
    const [first] = fleet.agents;
    assert.ok(first !== undefined);
    const { record } = await show(world, first, deps);
    const { renewAfter } = await acknowledgeBundle(deps, world.run, record, first.answer.bundleId);
    assert.ok(renewAfter !== undefined);
    for (const [i, agent] of fleet.agents.entries()) {
      const next: Held = await renew(world, agent, `next ${i}`, deps);
      await show(world, next, deps);
      if (i === 0) assertTrusted(next.certificate, next.answer.caBundle, world.clock.now());
    }
    assert.equal((await look(world, operation.id)).state, 'succeeded');
  });

  test('47 then it is revoked by itself, and nothing needs it any more', async (context) => {
    const renewedAt = world.clock.now();
    for (let i = 0; i < 5 && (await authorityOf(world, fleet.authorityId)).state === 'Tainted'; i++) {
      await quarter();
    }
    const all = await deps.fleet.authorities();
    const [revoked, active] = [fleet.authorityId, all.find(({ state }) => state === 'Active')?.id];
    const { state, taint, certificate } = await authorityOf(world, revoked);
    assert.equal(state, 'Revoked');
    assert.ok(
      !bundleOf(all).pem.includes(
        Buffer.from(certificate ?? [])
          .toString('base64')
          .slice(100, 160),
      ),
    );
    for await (const left of identitiesSignedBy(deps, revoked)) assert.deepEqual(left, []);
    const heads = (await allIdentities(world)).flatMap(({ certificate: { head } }) => head ?? []);
    assert.deepEqual(new Set(heads.map(({ authorityId }) => authorityId)), new Set([active]));
    // It vouched for its successor, and nobody for it: there is nothing to put on another's list.
    assert.deepEqual(
      all.flatMap(({ id }) => crossCrlLines(all, id)),
      [],
    );
    const hours = (renewedAt.getTime() - taintedAt.getTime()) / HOUR_MS;
    context.diagnostic(
      `${IN_VAULT + AGENTS + MANAGEMENT} identities: ${taint?.waves} waves, ${signatures} vault signatures, ${keysMade(world)} keys in ` +
        `the vault, ${mostKeys} in a period at most (its quota: ${KEYS_PER_PERIOD}), ${hours} h to the last renewed`,
    );
  });
});
