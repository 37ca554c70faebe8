/** What holds of a deployment after any run of requests, once nobody is at work any more. */
import assert from 'node:assert/strict';
import { SEAL_AFTER_MS } from '../../../shared/domain/audit.ts';
import { HOUR_MS } from '../../../shared/domain/instants.ts';
import { RECORD_SHARDS } from '../../../shared/domain/sharding.ts';
import { reconcile } from '../../../shared/use-cases/reconcile.ts';
import { sealAudit } from '../../../shared/use-cases/seal-audit.ts';
import { assertDueRows, assertNothingPending, assertSerialNumbers } from '../inspect-world.ts';
import type { FunctionsInProcess, RawAnswer } from './functions-in-process.ts';
import type { Scene } from './scene.ts';

/** Ticks after which whatever was begun is done. */
const MOST_TICKS = 6;
const EVERYTHING = Number.POSITIVE_INFINITY;

/** @param functions by which an operator looks at the deployment once more */
export async function assertLawsAtTheEnd(scene: Scene, functions: FunctionsInProcess): Promise<void> {
  const { world, secrets } = scene;
  const { deps, clock, run } = world;
  for (let tick = 0; tick < MOST_TICKS; tick++) {
    clock.advance(HOUR_MS);
    await world.tick(deps);
  }
  assert.equal((await deps.queue.depth()).waiting, 0, 'work is left');
  await assertDueRows(world);
  await assertNothingPending(world.authorityVault);
  await assertNothingPending(world.clientVault);
  await assertSerialNumbers(
    world,
    scene.held.map(({ certificate }) => certificate),
  );
  clock.advance(SEAL_AFTER_MS + 60_000);
  await sealAudit(deps, run);
  const outcome = await reconcile(deps, run);
  assert.deepEqual(outcome?.found, {}, 'reconcile found something to mend');
  await secrets.refresh();
  secrets.assertNone(world.lines.join('\n'), 'the log of the timers');
  secrets.assertNone(await everyEvent(scene), 'the audit log');
  await readEverything(scene, functions);
}

/** Whatever the fuzzing wrote, an operator can read. */
async function readEverything(scene: Scene, functions: FunctionsInProcess): Promise<void> {
  for (const list of ['status', 'plan', 'clusters', 'events', 'roles', 'role-assignments', 'revocations']) {
    let cursor: string | null = null;
    do {
      const from: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const answer = await get(scene, functions, `/api/${list}?limit=100${from}`);
      assert.equal(answer.status, 200, `GET ${list}: ${answer.text}`);
      cursor = (JSON.parse(answer.text) as { nextCursor?: string | null }).nextCursor ?? null;
    } while (cursor !== null);
  }
}

function get(scene: Scene, functions: FunctionsInProcess, target: string): Promise<RawAnswer> {
  const headers = { authorization: `Bearer ${scene.bearers.owner}` };
  return functions.call({ method: 'GET', target, headers, body: new Uint8Array(), address: '192.0.2.1' });
}

/** Every row that has to do with an event, waiting or sealed. */
async function everyEvent({ world }: Scene): Promise<string> {
  const shards = Array.from({ length: RECORD_SHARDS }, (_, shard) => String(shard).padStart(2, '0'));
  const ranges = shards.flatMap((shard) =>
    ['o', 'e', 'x', 'h'].map((kind) => world.tables.record.range(shard, `${kind}|`, `${kind}}`, EVERYTHING)),
  );
  return (await Promise.all(ranges))
    .flat()
    .map(({ key, data }) => `${key} ${data}`)
    .join('\n');
}
