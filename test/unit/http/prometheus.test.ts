import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MetricRegistry } from '../../../shared/adapters/telemetry/metric-registry.ts';
import { prometheusText } from '../../../shared/http/prometheus.ts';

const NOTHING = { gauges: [], process: 'p', counters: [], histograms: [] };

const POISON = { name: 'everleaf.queue.poison', points: [{ labels: {}, value: 7 }] } as const;

test('a metric stands behind its HELP and TYPE, with its unit in its name', () => {
  const points = [{ labels: { authority: 'a1', state: 'Active' }, value: 1_800_000_000 }];
  assert.equal(
    prometheusText({ ...NOTHING, gauges: [{ name: 'everleaf.authority.not_after', points }] }),
    [
      '# HELP everleaf_authority_not_after_seconds When a trusted authority ends.',
      '# TYPE everleaf_authority_not_after_seconds gauge',
      'everleaf_authority_not_after_seconds{authority="a1",state="Active"} 1800000000',
      '',
    ].join('\n'),
  );
});

test('a counter ends in _total and names its process, and a value without labels has no braces', () => {
  const registry = new MetricRegistry();
  registry.count('everleaf.recovery.used', {});
  registry.count('everleaf.recovery.used', {}, 2);
  const lines = prometheusText({ gauges: [], ...registry.counted(), process: 'p' }).split('\n');
  assert.match(prometheusText({ ...NOTHING, gauges: [POISON] }), /^everleaf_queue_poison 7$/m);
  assert.equal(lines.at(-2), 'everleaf_recovery_used_total{process="p"} 3');
});

test('a histogram’s buckets are cumulative and end with +Inf', () => {
  const registry = new MetricRegistry();
  for (const seconds of [0.003, 0.02, 12]) {
    registry.record('everleaf.vault.duration', { vault: 'v', operation: 'GET keys' }, seconds);
  }
  const text = prometheusText({ gauges: [], ...registry.counted(), process: 'p' });
  const labels = 'vault="v",operation="GET keys",process="p"';
  for (const line of [
    '# TYPE everleaf_vault_duration_seconds histogram',
    `everleaf_vault_duration_seconds_bucket{${labels},le="0.005"} 1`,
    `everleaf_vault_duration_seconds_bucket{${labels},le="0.025"} 2`,
    `everleaf_vault_duration_seconds_bucket{${labels},le="10"} 2`,
    `everleaf_vault_duration_seconds_bucket{${labels},le="+Inf"} 3`,
    `everleaf_vault_duration_seconds_sum{${labels}} 12.023`,
    `everleaf_vault_duration_seconds_count{${labels}} 3`,
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line}\nin\n${text}`);
  }
});

test('any label value comes back out of its quotes', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', 'n', 'ü') }), (name) => {
      const text = prometheusText({
        ...NOTHING,
        gauges: [{ name: 'everleaf.credential.not_after', points: [{ labels: { name }, value: 1 }] }],
      });
      const [, , sample = '', end, ...rest] = text.split('\n');
      assert.deepEqual([end, rest], ['', []], 'one line for one value');
      const quoted = /^\w+\{name="((?:[^"\\]|\\["\\n])*)"\} 1$/.exec(sample)?.[1];
      assert.equal(
        quoted?.replace(/\\(.)/g, (_, char) => (char === 'n' ? '\n' : char)),
        name,
      );
    }),
  );
});
