import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { controlAt } from './control.ts';
import { startVault } from './harness.ts';

const files = ['behaviour-certificates', 'behaviour-secrets'].map((name) =>
  fileURLToPath(new URL(`./${name}.test.ts`, import.meta.url)),
);

describe('The behaviour tests', () => {
  test('run against any vault by its URL, and leave nothing behind.', async (t) => {
    const { clients, controlUrl } = await startVault(t, { config: { faultsPort: 0 } });
    // Without it, the tests would report to this runner instead of running.
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    const env = {
      ...environment,
      EVERLEAF_CONTRACT_VAULT_URL: clients.url,
      EVERLEAF_CONTRACT_VAULT_TOKEN: 'tester',
    };
    const { stdout } = await promisify(execFile)(process.execPath, ['--test', ...files], { env });
    assert.match(stdout, /^# fail 0$|^ℹ fail 0$/m);
    const merges = await controlAt(controlUrl).audit('?operation=CertificatePendingMerge');
    assert.ok(merges.some(({ HttpStatusCode }) => HttpStatusCode === 201));
    for (const path of ['/secrets', '/deletedsecrets', '/certificates', '/deletedcertificates']) {
      const { body } = await clients.request('GET', `${path}?includePending=true`);
      assert.deepEqual((body as { value: unknown[] }).value, [], path);
    }
  });
});
