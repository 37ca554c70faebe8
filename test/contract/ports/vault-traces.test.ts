/** A login can be followed into the vault: its id stands in the vault's own log, and its calls are counted. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AuditEntry } from '../../../infra/local/vault/audit/entry.ts';
import { VaultCertificates } from '../../../shared/adapters/key-vault/vault-certificates.ts';
import { VaultCopies } from '../../../shared/adapters/key-vault/vault-copies.ts';
import { VaultSecrets } from '../../../shared/adapters/key-vault/vault-secrets.ts';
import { VaultSigner } from '../../../shared/adapters/key-vault/vault-signer.ts';
import { watchedCalls } from '../../../shared/adapters/key-vault/watched-calls.ts';
import { inTrace } from '../../../shared/adapters/system/trace.ts';
import { MetricRegistry } from '../../../shared/adapters/telemetry/metric-registry.ts';
import { Secret } from '../../../shared/domain/secret.ts';
import { startVault, temporaryDirectory } from '../vault-stand-in/harness.ts';

const INVOCATION = '11111111-1111-4111-8111-111111111111';
const CALLER = '22222222-2222-4222-8222-222222222222';
const log = { write: () => undefined };
const expiry = { contentType: 'text/plain', expiresAt: null, tags: {} };

test('a request to a vault carries the id of what it is a part of, and is counted by operation and status', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const { clients } = await startVault(t, { stateDir });
  const credential = {
    getToken: async () => ({ token: 'tester', expiresOnTimestamp: Date.now() + 86_400_000 }),
  };
  const metrics = new MetricRegistry();
  const policies = [watchedCalls(metrics)];
  const secrets = new VaultSecrets(clients.url, credential, policies);
  const certificates = new VaultCertificates(clients.url, credential, policies);
  const signer = new VaultSigner(credential, policies);
  const copies = new VaultCopies(clients.url, credential, policies);

  const within = <T>(correlationId: string, work: () => Promise<T>) =>
    inTrace(INVOCATION, { correlationId, log }, work);
  await within(CALLER, () => secrets.write('mine', new Secret('a'), expiry));
  await Promise.all([
    within(INVOCATION, () => secrets.read('mine')),
    within('a-caller-of-its-own-mind', () => certificates.current('none')),
    within(CALLER, () =>
      assert.rejects(signer.sign(`${clients.url}/keys/none/${'0'.repeat(32)}`, 'ES256', new Uint8Array(32))),
    ),
    within(CALLER, () => copies.restore('secret', new Uint8Array(8)).catch(() => undefined)),
  ]);
  await secrets.write('nobody', new Secret('b'), expiry);

  const lines = (await readFile(join(stateDir, 'audit.jsonl'), 'utf8')).trim().split('\n');
  const entries = lines.map((line) => JSON.parse(line) as AuditEntry);
  const idsOf = (operation: string) => [
    ...new Set(entries.filter((each) => each.OperationName === operation).map((each) => each.CorrelationId)),
  ];
  assert.deepEqual(idsOf('SecretGet'), [INVOCATION]);
  assert.deepEqual(idsOf('CertificateGet'), [INVOCATION], 'Key Vault takes GUIDs alone');
  assert.deepEqual(idsOf('KeyGet'), [CALLER]);
  const [byCaller, own, ...rest] = idsOf('SecretSet');
  assert.deepEqual([byCaller, rest], [CALLER, []]);
  assert.match(own ?? '', /^[0-9a-f-]{36}$/, 'what belongs to no invocation has an id of its own');

  const { counters, histograms } = metrics.counted();
  const host = new URL(clients.url).host;
  const calls = counters.find(({ name }) => name === 'everleaf.vault.calls')?.points ?? [];
  const told = calls.map(({ labels, value }) => `${labels['operation']} ${labels['status']}: ${value}`);
  assert.ok(calls.every(({ labels }) => labels['vault'] === host));
  assert.deepEqual(told.sort(), [
    'GET certificates/{name} 401: 1',
    'GET certificates/{name} 404: 1',
    'GET keys/{name}/{version} 401: 1',
    'GET keys/{name}/{version} 404: 1',
    'GET secrets/{name} 200: 1',
    'POST secrets/restore 400: 1',
    'POST secrets/restore 401: 1',
    'PUT secrets/{name} 200: 2',
    'PUT secrets/{name} 401: 1',
  ]);
  const durations = histograms[0]?.distributions.reduce((sum, { count }) => sum + count, 0);
  assert.equal(
    durations,
    calls.reduce((sum, { value }) => sum + value, 0),
  );
});
