/** What the fleet says about itself: gauges, the line of reasons, heartbeats, and lines of events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTrace } from '../../shared/adapters/system/trace.ts';
import { DAY_MS } from '../../shared/domain/instants.ts';
import type { MetricName } from '../../shared/domain/metrics.ts';
import { eventChange } from '../../shared/use-cases/events.ts';
import { getStatus } from '../../shared/use-cases/get-status.ts';
import { readMetrics } from '../../shared/use-cases/read-metrics.ts';
import { runTimer } from '../../shared/use-cases/run-timer.ts';
import { watchFleet } from '../../shared/use-cases/watch-fleet.ts';
import { KMS } from '../support/agent.ts';
import { buildHead, buildIdentity, ISSUED_AT } from '../support/build-identity.ts';
import { interceptPorts, recordCalls } from '../support/intercepted-ports.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';

/** A status of everything. */
const WHOLE = { cluster: null, state: null, limit: 100, cursor: null };

const watch = (world: World) => runTimer(world.deps, world.run, 'watch-fleet', watchFleet);
const linesOf = (world: World, signal: string) => world.lines.filter((line) => line.includes(signal));

function gauge(world: World, name: MetricName): Readonly<Record<string, number>> {
  const points = world.metrics.reported.find((family) => family.name === name)?.points ?? [];
  return Object.fromEntries(points.map(({ labels, value }) => [Object.values(labels).join(' '), value]));
}

test('52 a fleet at its start is told in numbers, with no reason to alert', async () => {
  const world = await startedWorld();
  await world.tick();
  for (const name of ['seal-audit', 'backup'] as const)
    await runTimer(world.deps, world.run, name, async () => ({}));
  await watch(world);
  const status = await getStatus(world.deps, WHOLE);
  assert.deepEqual(gauge(world, 'everleaf.identities'), status.totals.byState);
  const end = (status.identities[0]?.identity.token.expiresAt.getTime() ?? 0) / 1000;
  assert.deepEqual(gauge(world, 'everleaf.credential.not_after'), {
    'management certificate': end,
    'management token': end,
  });
  assert.deepEqual(gauge(world, 'everleaf.credential.overdue'), {
    'management certificate': 0,
    'management token': 0,
  });
  const [authority = ''] = Object.keys(gauge(world, 'everleaf.responder.not_after'));
  assert.equal(
    gauge(world, 'everleaf.authority.not_after')[`${authority} Active`],
    (status.authority.notAfter?.getTime() ?? 0) / 1000,
  );
  assert.ok((gauge(world, 'everleaf.crl.next_update')[authority] ?? 0) > world.clock.now().getTime() / 1000);
  assert.equal(gauge(world, 'everleaf.timer.last_success')['reconcile'], 0, 'never yet');
  assert.equal(gauge(world, 'everleaf.timer.last_success')['renew-due'], world.clock.now().getTime() / 1000);
  assert.deepEqual(gauge(world, 'everleaf.queue.poison'), { '': 0 });
  assert.deepEqual(linesOf(world, 'everleaf.reasons'), ['info: everleaf.reasons {}']);
  assert.deepEqual(
    linesOf(world, 'everleaf.timer.succeeded').at(-1),
    'info: everleaf.timer.succeeded {"timer":"watch-fleet"}',
  );
});

test('52 what is not renewed in time is counted, and stands in one line with the reasons of the status', async () => {
  const world = await startedWorld();
  world.clock.advance(50 * DAY_MS);
  const { reasons: told } = await getStatus(world.deps, WHOLE);
  await watch(world);
  const overdue = gauge(world, 'everleaf.credential.overdue');
  // Eight clients in the vault; the agents' tokens are an operator's to rotate, and they have not logged in yet.
  assert.deepEqual(overdue, { 'management certificate': 8, 'management token': 8 });
  const [line = ''] = linesOf(world, 'everleaf.reasons');
  const reasons = JSON.parse(line.slice(line.indexOf('{')));
  assert.equal(reasons['NotRenewedInTime'], 16);
  for (const { code, count } of told) assert.equal(reasons[code], count, code);
});

test('52 of a great many clusters those are told that are overdue or end first, and all are judged, before anything is sent', async () => {
  const world = await startedWorld();
  const clusterOf = (number: number) => `c${number}`;
  // In the order of the record; the last one ends first. Nobody's token is overdue, and one certificate.
  const fleet = Array.from({ length: 1_200 }, (_, number) =>
    buildIdentity({
      cluster: clusterOf(number),
      certificate: {
        head: buildHead({ notAfter: new Date(ISSUED_AT.getTime() + (3_000 - number) * DAY_MS) }),
      },
      token: { expiresAt: new Date(ISSUED_AT.getTime() + 9_000 * DAY_MS) },
    }),
  );
  const deps = interceptPorts(world.deps, async ({ port, method }, proceed) =>
    port === 'identities' && method === 'identities' ? { items: fleet, nextCursor: null } : proceed(),
  );
  const linesAtReport: string[] = [];
  const metrics: typeof deps.metrics = {
    ...deps.metrics,
    report: async (gauges) => {
      linesAtReport.push(...linesOf(world, 'everleaf.reasons'));
      await world.metrics.report(gauges);
    },
  };
  await watchFleet({ ...deps, metrics }, world.run);
  assert.equal(linesAtReport.length, 1);
  const ends = Object.keys(gauge(world, 'everleaf.credential.not_after'));
  assert.equal(ends.length, 1_000);
  assert.equal(ends[0], 'c1199 certificate');
  assert.deepEqual(
    ['c200 certificate', 'c199 certificate', 'c1199 token'].map((one) => ends.includes(one)),
    [true, false, false],
  );
});

test('52 a timer that fails, or leaves the work to another run, has no heartbeat', async () => {
  const world = await startedWorld();
  const before = linesOf(world, 'everleaf.timer.succeeded').length;
  await runTimer(world.deps, world.run, 'backup', async () => null);
  await assert.rejects(
    runTimer(world.deps, world.run, 'backup', async () => {
      throw new Error('no');
    }),
  );
  assert.equal(linesOf(world, 'everleaf.timer.succeeded').length, before);
});

test('52 every credential is in the metrics, and they cost what a status costs', async () => {
  const world = await startedWorld();
  const { deps, calls } = recordCalls(world.deps);
  const { gauges } = await readMetrics(deps, null);
  const ends = gauges.find(({ name }) => name === 'everleaf.credential.not_after')?.points ?? [];
  const status = await getStatus(world.deps, WHOLE);
  assert.equal(
    ends.length,
    status.identities.length + status.identities.filter(({ certificate }) => certificate !== null).length,
  );
  assert.ok(ends.some(({ labels }) => labels['name'] === KMS.name && labels['kind'] === 'certificate'));
  assert.equal(calls.filter((call) => call === 'identities.identities').length, 1, 'one walk');
  assert.equal(
    calls.filter((call) => /^(identities\.inst|identities\.rev)/.test(call)).length,
    0,
    'no lines',
  );
  const elsewhere = await readMetrics(world.deps, 'elsewhere');
  const none = elsewhere.gauges.find(({ name }) => name === 'everleaf.credential.not_after');
  assert.deepEqual(none?.points, []);
});

test('52 a committed event is a line of its invocation and a count, and one that was not is neither', async () => {
  const world = memoryWorld();
  const told: string[] = [];
  const log = {
    write: (_: unknown, message: string, details: unknown) =>
      void told.push(`${message} ${JSON.stringify(details)}`),
  };
  await inTrace('i', { correlationId: 'c', log }, () => world.tick());
  assert.ok(
    told.includes(
      'everleaf.event {"type":"certificate-issued","outcome":"success","reason":"","count":1,"cluster":"management","name":"KMS"}',
    ),
    told.join('\n'),
  );
  world.clock.advance(42 * DAY_MS);
  await world.tick();
  await world.tick();
  const renewals = world.metrics.counted().counters.find(({ name }) => name === 'everleaf.renewals')?.points;
  const done = renewals?.map(({ labels, value }) => [labels['kind'], labels['outcome'], value]) ?? [];
  assert.ok(
    done.length > 0 && done.every(([, outcome, value]) => outcome === 'success' && Number(value) > 0),
  );
  const stored = await world.deps.identities.identity(KMS);
  assert.ok(stored !== null);
  const before = world.metrics.counted();
  await assert.rejects(
    world.deps.identities.commit('management', [
      { op: 'replace', kind: 'identity', value: stored.value, etag: 'stale' },
      eventChange(world.deps, world.run, 'recovery-used', KMS),
    ]),
    { code: 'Conflict' },
  );
  assert.deepEqual(world.metrics.counted(), before);
});
