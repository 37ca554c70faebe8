import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { CertificatePolicy } from '@azure/keyvault-certificates';
import { type Clients, restError, startVault } from './harness.ts';
import { issueFor, requestCertificate } from './issuing.ts';

const policy: CertificatePolicy = {
  issuerName: 'Unknown',
  subject: 'CN=test',
  keyType: 'EC',
  contentType: 'application/x-pem-file',
};
const MESSAGES = {
  notFound: /^Pending certificate not found: web$/,
  ended: /^The pending certificate operation is not in progress/,
};

type State = 'none' | 'in progress' | 'cancelled' | 'completed' | 'deleted';

/** A certificate `web` whose pending operation is in the given state. */
async function inState(t: TestContext, state: State): Promise<Clients> {
  const { clients } = await startVault(t);
  const { certificates, request } = clients;
  if (state === 'none') {
    const self = await certificates.beginCreateCertificate('web', { ...policy, issuerName: 'Self' });
    await self.pollUntilDone();
    await certificates.deleteCertificateOperation('web');
    return clients;
  }
  const csr = await requestCertificate(certificates, 'web', policy);
  if (state === 'cancelled')
    await request('PATCH', '/certificates/web/pending', { cancellation_requested: true });
  if (state === 'deleted') await certificates.deleteCertificateOperation('web');
  if (state === 'completed') await certificates.mergeCertificate('web', [(await issueFor(csr)).leaf]);
  return clients;
}

const cancel = ({ request }: Clients) =>
  request('PATCH', '/certificates/web/pending', { cancellation_requested: true });

const codeOf = ({ body }: { body: unknown }) => (body as { error: { code: string } }).error.code;

describe('A pending operation', () => {
  for (const state of ['none', 'deleted'] as const) {
    test(`that is not there (${state}) cannot be looked at, cancelled, deleted or merged.`, async (t) => {
      const clients = await inState(t, state);
      const missing = { ...restError(404, 'PendingCertificateNotFound'), message: MESSAGES.notFound };
      await assert.rejects(clients.certificates.deleteCertificateOperation('web'), missing);
      const cancelled = await cancel(clients);
      assert.deepEqual([cancelled.status, codeOf(cancelled)], [404, 'PendingCertificateNotFound']);
      const looked = await clients.request('GET', '/certificates/web/pending');
      assert.deepEqual(looked, {
        status: 404,
        body: {
          error: { code: 'PendingCertificateNotFound', message: 'Pending certificate not found: web' },
        },
      });
      const { leaf } = await issueFor(await requestCertificate(clients.certificates, 'other', policy));
      await assert.rejects(clients.certificates.mergeCertificate('web', [leaf]), missing);
    });
  }

  test('in progress is cancelled through the SDK, whose poller then says so.', async (t) => {
    const { certificates } = await inState(t, 'in progress');
    const poller = await certificates.getCertificateOperation('web');
    await poller.cancelOperation();
    const later = await certificates.getCertificateOperation('web');
    const { certificateOperation } = later.getOperationState();
    assert.equal(certificateOperation?.cancellationRequested, true);
    assert.equal(certificateOperation?.status, 'cancelled');
  });

  for (const state of ['cancelled', 'completed'] as const) {
    test(`that is ${state} cannot be cancelled or merged any more, can be looked at, and can be deleted.`, async (t) => {
      const clients = await inState(t, state);
      const { certificates, request } = clients;
      const again = await cancel(clients);
      assert.deepEqual([again.status, codeOf(again)], [400, 'BadParameter']);
      const { leaf } = await issueFor(await requestCertificate(certificates, 'other', policy));
      await assert.rejects(certificates.mergeCertificate('web', [leaf]), {
        ...restError(400, 'BadParameter'),
        message: MESSAGES.ended,
      });
      const { body } = await request('GET', '/certificates/web/pending');
      assert.equal((body as { status: string }).status, state);
      await certificates.deleteCertificateOperation('web');
      await assert.rejects(
        certificates.deleteCertificateOperation('web'),
        restError(404, 'PendingCertificateNotFound'),
      );
    });

    test(`that is ${state} does not keep the name busy.`, async (t) => {
      const { certificates } = await inState(t, state);
      const csr = await requestCertificate(certificates, 'web', policy);
      await certificates.mergeCertificate('web', [(await issueFor(csr)).leaf]);
    });
  }

  test('keeps create and import away in the recorded words, and lets the current version be used.', async (t) => {
    const clients = await inState(t, 'completed');
    const { certificates, secrets } = clients;
    const { properties } = await certificates.getCertificate('web');
    await requestCertificate(certificates, 'web', policy);
    const busy = {
      ...restError(409, 'Forbidden'),
      message: /while a pending key vault certificate is in progress/,
    };
    await assert.rejects(certificates.beginCreateCertificate('web', policy), busy);
    const during = await certificates.getCertificate('web');
    assert.equal(during.properties.version, properties.version);
    assert.equal((await secrets.getSecret('web')).properties.version, properties.version);
  });

  test('of a first version: the certificate is there, disabled; its secret is disabled, its key is not there yet.', async (t) => {
    const { certificates, secrets, keys } = await inState(t, 'in progress');
    const early = await certificates.getCertificate('web');
    assert.deepEqual([early.properties.enabled, early.cer], [false, undefined]);
    await assert.rejects(secrets.getSecret('web'), {
      ...restError(403, 'Forbidden'),
      message: 'Operation get is not allowed on a disabled secret.',
    });
    await assert.rejects(keys.getKey('web'), restError(404, 'KeyNotFound'));
  });

  test('goes with its certificate when that is deleted, and comes back with it.', async (t) => {
    const { certificates } = await inState(t, 'in progress');
    const deleting = await certificates.beginDeleteCertificate('web');
    await deleting.pollUntilDone();
    await assert.rejects(
      certificates.deleteCertificateOperation('web'),
      restError(404, 'CertificateNotFound'),
    );
    await (await certificates.beginRecoverDeletedCertificate('web')).pollUntilDone();
    const poller = await certificates.getCertificateOperation('web');
    const csr = Buffer.from(poller.getOperationState().certificateOperation?.csr ?? []);
    await certificates.mergeCertificate('web', [(await issueFor(csr)).leaf]);
  });
});
