/** What the alerts and the workbook ask for is what the code writes: a name that nobody writes never alerts. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { invocationLog } from '../../shared/adapters/system/invocation-log.ts';
import { inTrace } from '../../shared/adapters/system/trace.ts';
import { MetricRegistry } from '../../shared/adapters/telemetry/metric-registry.ts';
import { eventTeller } from '../../shared/adapters/telemetry/tell-event.ts';
import { EVENT_TYPES } from '../../shared/domain/audit.ts';
import { METRICS } from '../../shared/domain/metrics.ts';
import { NOT_RENEWED_IN_TIME, SIGNALS } from '../../shared/domain/signals.ts';
import { eventChange } from '../../shared/use-cases/events.ts';
import { runTimer } from '../../shared/use-cases/run-timer.ts';
import { watchFleet } from '../../shared/use-cases/watch-fleet.ts';
import { ROOT } from '../architecture/sources.ts';
import { KMS } from '../support/agent.ts';
import { memoryWorld } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';
import { bicepFile, declared } from './bicep.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found = '']) => found);

const ALERTS = read('infra/modules/alerts.bicep');
const WORKBOOK = read('infra/workbook.json');
const QUERIES: string[] = JSON.parse(WORKBOOK).items.flatMap((item: { content: { query?: string } }) =>
  item.content.query === undefined ? [] : [item.content.query],
);

/** Every line that the program writes, in the form in which the platform collects it. */
async function linesOf(work: (log: ReturnType<typeof invocationLog>) => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  const write = (...args: unknown[]) => void lines.push(args.join(' '));
  await work(invocationLog({ debug: write, info: write, warn: write, error: write }, 'a-correlation-id'));
  return lines;
}

/** What `parse message with "<signal> " body " [" *` finds. */
function bodyOf(line: string, signal: string): Record<string, unknown> {
  assert.ok(line.startsWith(`${signal} `), line);
  return JSON.parse(line.slice(signal.length + 1, line.indexOf(' [')));
}

describe('the alerts', () => {
  it('are those that an operator needs', () => {
    assert.deepEqual(all(ALERTS, /^ {4}name: '([a-z-]+)'$/gm).sort(), [
      'authority-step-overdue',
      'authority-vault-saturated',
      'authority-vault-throttled',
      'backup-missing',
      'bundle-behind',
      'client-vault-saturated',
      'client-vault-throttled',
      'credentials-expired',
      'crl-overdue',
      'instance-locked',
      'login-denials',
      'no-scan',
      'no-watch',
      'not-renewed-in-time',
      'poison-queue',
      'record-unavailable',
      'recovery-used',
      'renewals-failing',
      'responder-ending',
      'timers-overdue',
    ]);
  });

  it('say each how bad it is and what to do first, in words that exist', () => {
    const rules = ALERTS.split(/^ {2}\{$/m).filter((text) => /^ {4}name: '[a-z-]+'$/m.test(text));
    for (const rule of rules) {
      assert.match(rule, /^ {4}severity: [0-3]$/m);
      assert.match(rule, /^ {4}description: '.* First: .*'$/m, rule);
    }
    const settings = read('shared/config/settings.ts');
    for (const name of all(ALERTS, /\b([A-Z]+(?:_[A-Z]+)+)\b/g))
      assert.ok(settings.includes(`${name}:`), name);
    for (const name of all(ALERTS, /\bfunction ([a-z]+(?:-[a-z]+)*)/g)) {
      assert.ok(existsSync(join(ROOT, `functions/${name}.ts`)), name);
    }
  });

  it('ask for reasons that a status can have', () => {
    const judges = readdirSync(join(ROOT, 'shared/use-cases')).filter((name) => name.startsWith('judge-'));
    const codes = judges.flatMap((name) => all(read(`shared/use-cases/${name}`), /code: '(\w+)'/g));
    const asked = all(ALERTS, /reasons: \[(.*)\]/g).flatMap((list) => all(list, /'(\w+)'/g));
    assert.ok(asked.length > 10);
    const known = [...codes, NOT_RENEWED_IN_TIME];
    assert.deepEqual(
      asked.filter((code) => !known.includes(code)),
      [],
    );
  });

  it('ask for types of events that there are', () => {
    const asked = all(ALERTS, /eventQuery\('([\w-]+)'/g);
    assert.ok(asked.length >= 4);
    const known: readonly string[] = EVENT_TYPES;
    assert.deepEqual(
      asked.filter((type) => !known.includes(type)),
      [],
    );
  });

  it('measure with limits that a deployment can set, because schedules can be set too', () => {
    const limits = all(ALERTS, /^var \w+ = limits\.\?(\w+) \?\? /gm);
    assert.deepEqual(limits, ['scanSilence', 'watchSilence', 'loginDenials', 'vaultThrottled']);
    const settable = declared(bicepFile('modules/alerts.bicep'), 'type', 'alertLimitSettings');
    assert.deepEqual(all(settable, /^ {2}(\w+): /gm), limits);
    const main = read('infra/main.bicep');
    assert.match(main, /^param alertLimits alertLimitSettings = \{\}$/m);
    assert.match(main, /^ {4}limits: alertLimits$/m);
  });

  it('end each in one row, so that no row at all compares as nothing', () => {
    const endings = all(ALERTS, /^ {6}'(\| summarize Value[^']*(?:'[^\n]*)?)$/gm);
    assert.equal(endings.length, 3, 'one for each kind of query');
    assert.ok(endings.every((ending) => !ending.includes(' by ')));
  });
});

describe('the lines that alerts look for', () => {
  it('have the form that the queries take apart', async () => {
    const world = await startedWorld();
    world.clock.advance(100 * 86_400_000);
    const lines = await linesOf((log) =>
      runTimer(world.deps, { ...world.run, log }, 'watch-fleet', watchFleet),
    );
    const [reasons = '', heartbeat = ''] = lines;
    assert.ok(Number(bodyOf(reasons, SIGNALS.reasons)['IdentitiesExpired']) > 0);
    const [wanted = ''] = all(ALERTS, /message startswith "(everleaf\.timer\.succeeded .*)"'$/gm);
    const prefix = (timer: string) => wanted.replaceAll('\\\\', '').replace(/\$\{timer\}/, timer);
    for (const timer of all(ALERTS, /heartbeatQuery\('([\w-]+)'\)/g)) {
      assert.ok(Object.hasOwn(world.deps.timers, timer), timer);
      assert.ok(heartbeat.replace('watch-fleet', timer).startsWith(prefix(timer)), prefix(timer));
    }
  });

  it('hold of an event what the queries ask of it', async () => {
    const world = memoryWorld();
    const event = eventChange(world.deps, world.run, 'renewal-failed', KMS, {
      outcome: 'failed',
      reason: 'VaultThrottled',
      details: { kind: 'token', attempts: 3 },
    });
    const [line = ''] = await linesOf(async (log) =>
      inTrace('i', { correlationId: 'c', log }, () => eventTeller(new MetricRegistry())(event.value)),
    );
    const body = bodyOf(line, SIGNALS.event);
    for (const property of all(ALERTS, /event\["(\w+)"\]/g))
      assert.ok(Object.hasOwn(body, property), property);
    assert.equal(body['attempts'], 3);
  });
});

describe('what the alerts and the workbook name', () => {
  const names: readonly string[] = [...Object.keys(METRICS), ...Object.values(SIGNALS)];

  it('is a metric or a line that there is', () => {
    const asked = [ALERTS, ...QUERIES].flatMap((text) => all(text, /\b(everleaf\.[a-z_.]*[a-z])/g));
    assert.ok(asked.length > 15);
    assert.deepEqual(
      asked.filter((name) => !names.includes(name)),
      [],
    );
  });

  it('is the label of a metric that has it', async () => {
    const world = await startedWorld();
    await world.tick();
    await watchFleet(world.deps, world.run);
    const labels = new Map<string, readonly string[]>(
      world.metrics.reported.map(({ name, points }) => [name, Object.keys(points[0]?.labels ?? {})]),
    );
    // Where the vaults are called, which needs a vault: test/contract/ports/vault-traces.test.ts.
    labels.set('everleaf.vault.calls', ['vault', 'operation', 'status']);
    labels.set('everleaf.vault.duration', ['vault', 'operation']);
    labels.set('everleaf.renewals', ['kind', 'outcome']);
    for (const query of QUERIES.filter((text) => text.startsWith('customMetrics'))) {
      const metrics = all(query, /"(everleaf\.[\w.]+)"/g);
      for (const label of all(query, /customDimensions\["(\w+)"\]/g)) {
        for (const metric of metrics) assert.ok(labels.get(metric)?.includes(label), `${metric}: ${label}`);
      }
    }
  });

  it('stands in a workbook for the deployment that it is in, and names no other', () => {
    assert.doesNotMatch(WORKBOOK, /\/subscriptions\//i);
    assert.deepEqual([...new Set(all(WORKBOOK, /\{\{(\w+)\}\}/g))].sort(), ['appInsightsId', 'workspaceId']);
    const module = read('infra/modules/workbook.bicep');
    for (const place of ['{{appInsightsId}}', '{{workspaceId}}']) assert.ok(module.includes(place));
  });
});
