import assert from 'node:assert/strict';
import { appendFile, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { controlAt } from './control.ts';
import { restError, startVault, temporaryDirectory } from './harness.ts';
import { issueFor, requestCertificate } from './issuing.ts';

const policy = { subject: 'CN=a', keyType: 'EC', contentType: 'application/x-pem-file' } as const;

describe('The audit log', () => {
  test("tells every request by the names of the service's own log, refused ones too.", async (t) => {
    const { clients, as, controlUrl } = await startVault(t, { config: { faultsPort: 0 } });
    const { certificates, secrets } = clients;
    await secrets.setSecret('token', 'the-secret-value');
    await secrets.getSecret('token');
    const { leaf } = await issueFor(await requestCertificate(certificates, 'web', policy));
    const merged = await certificates.mergeCertificate('web', [leaf]);
    await clients.cryptography(merged.keyId ?? '').sign('ES256', Buffer.alloc(32));
    await assert.rejects(as('nobody').secrets.getSecret('token'), restError(403, 'Forbidden'));
    await clients.request('POST', '/secrets/token/rotate');

    const entries = await controlAt(controlUrl).audit();
    const told = entries.map(({ OperationName, HttpStatusCode }) => `${OperationName} ${HttpStatusCode}`);
    const expected = [
      'SecretSet 401',
      'SecretSet 200',
      'SecretGet 200',
      'CertificateCreate 401',
      'CertificateCreate 202',
      'CertificatePendingMerge 201',
      'KeySign 200',
      'SecretGet 403',
      'Unknown 404',
    ];
    for (const each of expected) assert.ok(told.includes(each), `${each} in ${told.join(', ')}`);
  });

  test('has the columns of AZKVAuditLogs and not one secret.', async (t) => {
    const stateDir = await temporaryDirectory(t);
    const { clients, controlUrl } = await startVault(t, { stateDir, config: { faultsPort: 0 } });
    await clients.secrets.setSecret('token', 'the-secret-value');
    const [entry] = await controlAt(controlUrl).audit('?vault=clients&operation=SecretSet&limit=1');
    assert.ok(entry !== undefined);
    const { TimeGenerated, DurationMs, CorrelationId, ClientInfo, OperationVersion, ...rest } = entry;
    assert.match(String(OperationVersion), /^\d{4}-\d{2}-\d{2}$/);
    assert.ok(Math.abs(Date.parse(String(TimeGenerated)) - Date.now()) < 3_600_000);
    assert.equal(typeof DurationMs, 'number');
    assert.match(String(CorrelationId), /^[0-9a-f-]{36}$/);
    assert.match(String(ClientInfo), /azsdk-js-keyvault-secrets/);
    assert.deepEqual(rest, {
      ResourceId: '/SUBSCRIPTIONS/LOCAL/RESOURCEGROUPS/LOCAL/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/CLIENTS',
      Category: 'AuditEvent',
      OperationName: 'SecretSet',
      ResultType: 'Success',
      ResultSignature: 'OK',
      ResultDescription: '',
      HttpStatusCode: 200,
      CallerIpAddress: '127.0.0.1',
      Identity: { claim: { 'http://schemas.microsoft.com/identity/claims/objectidentifier': 'tester' } },
      Id: `${clients.url}/secrets/token`,
      RequestUri: `${clients.url}/secrets/token?api-version=${OperationVersion}`,
      IsRbacAuthorized: true,
    });
    const file = join(stateDir, 'audit.jsonl');
    const text = await readFile(file, 'utf8');
    assert.doesNotMatch(text, /the-secret-value|Bearer tester/);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  test('goes on after a restart, without a line that a kill has cut.', async (t) => {
    const stateDir = await temporaryDirectory(t);
    const first = await startVault(t, { stateDir });
    await first.clients.request('PUT', '/secrets/a', { value: 'value' });
    await first.stop();
    await appendFile(join(stateDir, 'audit.jsonl'), '{"TimeGenerated":"2026-');
    const second = await startVault(t, { stateDir, config: { faultsPort: 0 } });
    await second.clients.request('GET', '/secrets/a');
    const entries = await controlAt(second.controlUrl).audit();
    assert.deepEqual(
      entries.map(({ OperationName }) => OperationName),
      ['SecretSet', 'SecretGet'],
    );
  });

  test('is not changed by faults: it tells what the vault did, not what the caller heard.', async (t) => {
    const { clients, controlUrl } = await startVault(t, { config: { faultsPort: 0 } });
    const control = controlAt(controlUrl);
    const fail = (when: string) => ({ times: 1, effect: { kind: 'status', status: 500, when } });
    await control.inject(fail('before'), fail('after'));
    assert.equal((await clients.request('PUT', '/secrets/a', { value: '1' })).status, 500);
    assert.equal((await clients.request('PUT', '/secrets/a', { value: '2' })).status, 500);
    assert.deepEqual(
      (await control.audit()).map(({ HttpStatusCode }) => HttpStatusCode),
      [200],
    );
  });
});
