import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { VaultCertificates } from '../../../shared/adapters/key-vault/vault-certificates.ts';
import { specOf } from '../../support/key-spec.ts';

/** A vault in which the newest operation of every name has ended badly, as Key Vault words it. */
async function vaultWithEndedOperation(status: string, error: object | undefined) {
  const server = createServer((request, response) => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    if (request.headers.authorization === undefined) {
      const challenge =
        'Bearer authorization="https://login.test/tenant", resource="https://vault.azure.net"';
      response.writeHead(401, { 'www-authenticate': challenge }).end();
      return;
    }
    const id = `${url}/certificates/kms`;
    const operation = { id: `${id}/pending`, issuer: { name: 'Unknown' }, status, error, request_id: 'r1' };
    const isOperation =
      request.url?.includes('/pending') === true || request.url?.includes('/create') === true;
    response.writeHead(request.url?.includes('/create') ? 202 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isOperation ? operation : { id, attributes: { enabled: false } }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const credential = {
    getToken: async () => ({ token: 'token', expiresOnTimestamp: Date.now() + 3_600_000 }),
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { vault: new VaultCertificates(url, credential), stop: () => server.close() };
}

for (const [status, error] of [
  ['failed', { code: 'BadRequest', message: 'The key could not be made.' }],
  ['cancelled', { code: 'OperationCancelled', message: 'Somebody cancelled it.' }],
  ['failed', undefined],
  ['completed', undefined],
] as const) {
  const said = error === undefined ? 'without saying why' : 'with an error of its own';
  test(`an operation that ended as ${status} ${said} is told as ended, and no failure of the vault`, async () => {
    const { vault, stop } = await vaultWithEndedOperation(status, error);
    try {
      assert.deepEqual(await vault.pending('kms'), { state: 'ended' });
      await assert.rejects(vault.request('kms', specOf('RSA-2048')), { code: 'VaultRefused' });
    } finally {
      stop();
    }
  });
}
