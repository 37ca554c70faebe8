/** What is left of operators who are refused. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { App } from '../../../shared/app.ts';
import type { Action } from '../../../shared/domain/actions.ts';
import { MINUTE_MS } from '../../../shared/domain/instants.ts';
import { anonymousActor, authenticate } from '../../../shared/http/caller.ts';
import { memoryWorld, type World } from '../../support/memory-world.ts';
import { type OperatorIssuer, startOperatorIssuer } from '../../support/operator-issuer.ts';
import { httpRequest } from './requests.ts';

let issuer: OperatorIssuer;
before(async () => {
  issuer = await startOperatorIssuer();
});
after(() => issuer.stop());

interface Told {
  readonly reason: string;
  readonly count: number;
  readonly actor: { readonly kind: string; readonly id: string | null; readonly source: string | null };
  readonly details: { readonly action: Action };
}

async function startedWorld(): Promise<{ world: World; app: App }> {
  const world = memoryWorld();
  for (const part of world.deps.storage) await part.prepare();
  return { world, app: { deps: world.deps, operators: issuer.operators } };
}

async function deniedEvents(world: World): Promise<Told[]> {
  const told: Told[] = [];
  for (let shard = 0; shard < 32; shard++) {
    for (const { data } of await world.tables.record.range(String(shard).padStart(2, '0'), 'o|', 'o}', 100)) {
      const event = JSON.parse(data) as Told & { type: string; outcome: string };
      assert.deepEqual([event.type, event.outcome], ['access-denied', 'denied']);
      told.push(event);
    }
  }
  return told;
}

const call = (app: App, world: World, headers: Record<string, string>, action: Action = 'role/write') => {
  const request = httpRequest({ headers: { 'x-forwarded-for': '192.0.2.7', ...headers } });
  const arrival = { app, request, run: { ...world.run, actor: anonymousActor(request) } };
  return authenticate(arrival, { credential: 'operator', action, scope: '/' });
};

test('An operator without the right is written down, by the minute and by what was asked for', async () => {
  const { world, app } = await startedWorld();
  const headers = { authorization: `Bearer ${await issuer.token('eve')}` };
  for (let time = 1; time <= 4; time++) {
    await assert.rejects(call(app, world, headers), { code: 'AccessDenied' });
  }
  const [one, ...more] = await deniedEvents(world);
  assert.deepEqual(more, []);
  assert.deepEqual(
    [one?.reason, one?.count, one?.actor, one?.details],
    ['AccessDenied', 4, { kind: 'operator', id: 'eve', source: '192.0.2.7' }, { action: 'role/write' }],
  );
  await assert.rejects(call(app, world, headers, 'role/delete'), { code: 'AccessDenied' });
  world.clock.advance(MINUTE_MS);
  await assert.rejects(call(app, world, headers), { code: 'AccessDenied' });
  assert.equal((await deniedEvents(world)).length, 3);
});

test('A right that a handler asks for beside the route’s own leaves the same trace', async () => {
  const { world, app } = await startedWorld();
  const headers = { authorization: `Bearer ${await issuer.token('rita', ['Everleaf.Reader'])}` };
  const caller = await call(app, world, headers, 'role/read');
  assert.equal((await caller.may('admin/issue', '/')).allowed, false);
  assert.deepEqual(await deniedEvents(world), []);
  await assert.rejects(caller.demand('admin/issue', '/'), { code: 'AccessDenied' });
  assert.deepEqual(
    (await deniedEvents(world)).map(({ actor, details }) => [actor.id, details.action]),
    [['rita', 'admin/issue']],
  );
});

test('A bearer token and a proof that do not count are written down, and a call without any is not', async () => {
  const { world, app } = await startedWorld();
  for (const [headers, code] of [
    [{ authorization: 'Bearer nonsense' }, 'InvalidToken'],
    [{ 'x-everleaf-proof': 'nonsense' }, 'InvalidProof'],
    [{}, 'NoAuthenticationInformation'],
  ] as const) {
    await assert.rejects(call(app, world, headers), { code });
  }
  const told = (await deniedEvents(world)).map(({ reason, actor }) => [reason, actor.kind, actor.id]);
  assert.deepEqual(told.sort(), [
    ['InvalidProof', 'anonymous', null],
    ['InvalidToken', 'anonymous', null],
  ]);
});

test('Calls without end cost a few writes, and most of them are counted', async () => {
  const { world, app } = await startedWorld();
  for (let time = 1; time <= 100; time++) {
    await assert.rejects(call(app, world, { authorization: 'Bearer nonsense' }), { code: 'InvalidToken' });
  }
  const [one] = await deniedEvents(world);
  assert.equal(one?.count, 64);
});

test('A refusal stays one when it cannot be written down', async () => {
  const world = memoryWorld();
  const app = { deps: world.deps, operators: issuer.operators };
  await assert.rejects(call(app, world, { authorization: 'Bearer nonsense' }), { code: 'InvalidToken' });
  assert.match(world.lines.join('\n'), /Could not write down a refused operator/);
});
