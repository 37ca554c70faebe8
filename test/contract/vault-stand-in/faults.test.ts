import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Control, controlAt } from './control.ts';
import { type Clients, restError, startVault, temporaryDirectory } from './harness.ts';
import { issueFor, requestCertificate } from './issuing.ts';
import { startIssuer } from './token-issuer.ts';
import { startProcess, type VaultProcess } from './vault-process.ts';

const policy = { subject: 'CN=a', keyType: 'EC', contentType: 'application/x-pem-file' } as const;

async function start(t: Parameters<typeof startVault>[0]): Promise<{ clients: Clients; control: Control }> {
  const { clients, controlUrl } = await startVault(t, { config: { faultsPort: 0 } });
  return { clients, control: controlAt(controlUrl) };
}

describe('Faults', () => {
  test('answer in the place of the vault, as often as asked, after as many as asked.', async (t) => {
    const { clients, control } = await start(t);
    const { secrets } = clients;
    await control.inject({
      action: 'SecretSet',
      skip: 1,
      times: 2,
      effect: { kind: 'status', status: 503 },
    });
    await secrets.setSecret('a', '1');
    await assert.rejects(secrets.setSecret('a', '2'), restError(503, 'ServiceUnavailable'));
    await assert.rejects(secrets.setSecret('a', '3'), restError(503, 'ServiceUnavailable'));
    await secrets.setSecret('a', '4');
    assert.equal((await secrets.getSecret('a')).value, '4');
    const [rule] = await control.rules();
    assert.deepEqual(
      { matched: rule?.['matched'], hits: rule?.['hits'], exhausted: rule?.['exhausted'] },
      // The client's first request, which carries no token, is not among them.
      { matched: 4, hits: 2, exhausted: true },
    );
  });

  test('strike by vault, method, path and action; a path is a glob or a regular expression.', async (t) => {
    const { clients, control } = await start(t);
    const statusOf = async (method: string, path: string) => (await clients.request(method, path)).status;
    const effect = { kind: 'status', status: 500 };
    const hitBy = async (rule: Record<string, unknown>, method: string, path: string) => {
      await control.request('DELETE', '/faults');
      await control.inject({ ...rule, effect });
      return (await statusOf(method, path)) === 500;
    };
    assert.ok(await hitBy({}, 'GET', '/secrets'));
    assert.ok(await hitBy({ vault: 'clients' }, 'GET', '/secrets'));
    assert.ok(!(await hitBy({ vault: 'authority' }, 'GET', '/secrets')));
    assert.ok(await hitBy({ method: 'get' }, 'GET', '/secrets'));
    assert.ok(!(await hitBy({ method: 'PUT' }, 'GET', '/secrets')));
    assert.ok(await hitBy({ path: '/secrets/token--*' }, 'GET', '/secrets/Token--a/'));
    assert.ok(!(await hitBy({ path: '/secrets/token--*' }, 'GET', '/secrets/token--a/versions')));
    assert.ok(await hitBy({ path: '/secrets/**' }, 'GET', '/secrets/token--a/versions'));
    assert.ok(await hitBy({ path: 'regex:^/secrets/[a-c]$' }, 'GET', '/secrets/b'));
    assert.ok(!(await hitBy({ path: 'regex:^/secrets/[a-c]$' }, 'GET', '/secrets/d')));
    assert.ok(await hitBy({ action: 'SecretListVersions' }, 'GET', '/secrets/a/versions'));
    assert.ok(!(await hitBy({ action: 'SecretGet' }, 'GET', '/secrets/a/versions')));
  });

  test('with a status after the fact: what was asked for has happened, and only the answer is another.', async (t) => {
    const { clients, control } = await start(t);
    const { certificates } = clients;
    const request = await requestCertificate(certificates, 'web', policy);
    const { leaf } = await issueFor(request);
    await control.inject({
      action: 'CertificatePendingMerge',
      times: 1,
      effect: { kind: 'status', status: 500, code: 'InternalServerError', message: 'lost', when: 'after' },
    });
    await assert.rejects(certificates.mergeCertificate('web', [leaf]), { statusCode: 500, message: 'lost' });
    assert.deepEqual(Buffer.from((await certificates.getCertificate('web')).cer ?? []), leaf);
  });

  test('drop the connection, before or after the fact.', async (t) => {
    const { clients, control } = await start(t);
    const { secrets } = clients;
    await secrets.setSecret('a', '1');
    await control.inject({ action: 'SecretSet', times: 1, effect: { kind: 'drop' } });
    await assert.rejects(secrets.setSecret('a', '2'), { name: 'RestError' });
    assert.equal((await secrets.getSecret('a')).value, '1');
    await control.inject({ action: 'SecretSet', times: 1, effect: { kind: 'drop', when: 'after' } });
    await assert.rejects(secrets.setSecret('a', '3'), { name: 'RestError' });
    assert.equal((await secrets.getSecret('a')).value, '3');
  });

  test('say how long to wait, and the client that may try again does.', async (t) => {
    const { clients, control } = await start(t);
    await clients.secrets.setSecret('a', '1');
    await control.inject({
      action: 'SecretGet',
      times: 1,
      effect: { kind: 'status', status: 429, retryAfterSeconds: 0 },
    });
    const patient = clients.with({ retryOptions: { maxRetries: 1 } });
    assert.equal((await patient.secrets.getSecret('a')).value, '1');
    const [rule] = await control.rules();
    assert.equal(rule?.['hits'], 1);
  });

  test('of latency let the request go on, to other rules as well.', async (t) => {
    const { clients, control } = await start(t);
    await clients.secrets.setSecret('a', '1');
    await control.inject(
      { action: 'SecretGet', effect: { kind: 'latency', ms: 1 } },
      { action: 'SecretGet', times: 1, effect: { kind: 'status', status: 403 } },
    );
    await assert.rejects(clients.secrets.getSecret('a'), restError(403, 'Forbidden'));
    assert.equal((await clients.secrets.getSecret('a')).value, '1');
    assert.deepEqual(
      (await control.rules()).map(({ hits }) => hits),
      [2, 1],
    );
  });

  test('are removed one by one or all at once, and rules that make no sense are refused.', async (t) => {
    const { control } = await start(t);
    const effect = { kind: 'drop' };
    const [first] = await control.inject({ effect }, { effect });
    assert.equal((await control.request('DELETE', `/faults/${first}`)).status, 204);
    assert.equal((await control.request('DELETE', `/faults/${first}`)).status, 404);
    assert.equal((await control.rules()).length, 1);
    assert.equal((await control.request('DELETE', '/faults')).status, 204);
    assert.deepEqual(await control.rules(), []);
    const wrong = [
      { effect: { kind: 'earthquake' } },
      { action: 'SecretRead', effect },
      { path: 'regex:(', effect },
      { times: 0, effect },
      { verb: 'GET', effect },
    ];
    for (const rule of wrong) {
      assert.equal((await control.request('POST', '/faults', rule)).status, 400, JSON.stringify(rule));
    }
    const { body } = await control.request('POST', '/faults', { action: 'SecretRead', effect });
    assert.match(JSON.stringify(body), /Property 0\.action has invalid value/);
    assert.equal((await control.request('GET', '/fault')).status, 404);
  });
});

describe('Faults that end the process', () => {
  const cases: [string, Record<string, unknown>, string][] = [
    ['before the fact leave what was', { kind: 'crash', when: 'before' }, '1'],
    ['after the fact leave what is new', { kind: 'crash', when: 'after' }, '2'],
    ['in the middle of a write leave what was, and the next start clears up', { kind: 'torn-write' }, '1'],
  ];
  for (const [title, effect, expected] of cases) {
    test(`${title}.`, async (t) => {
      const stateDir = await temporaryDirectory(t);
      const issuer = await startIssuer(t);
      const start = (): Promise<VaultProcess> => startProcess(t, stateDir, issuer, { faultsPort: 0 });
      const first = await start();
      await first.clients.secrets.setSecret('a', '1');
      const control = controlAt(first.controlUrl);
      await control.inject({ action: 'SecretSet', effect });
      await assert.rejects(first.clients.secrets.setSecret('a', '2'), { name: 'RestError' });
      assert.equal(await first.exited, 'SIGKILL');
      const isTorn = effect['kind'] === 'torn-write';
      const unfinished = async () =>
        (await readdir(join(stateDir, 'clients'))).filter((file) => !file.endsWith('.json'));
      assert.equal((await unfinished()).length, isTorn ? 1 : 0);

      const second = await start();
      assert.equal((await second.clients.secrets.getSecret('a')).value, expected);
      assert.deepEqual(await unfinished(), []);
      assert.deepEqual(await controlAt(second.controlUrl).rules(), [], 'a restart begins without faults');
    });
  }
});
