import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { answerChallenges, collect, startVault, temporaryDirectory } from './harness.ts';
import { issueFor, requestCertificate } from './issuing.ts';
import { startIssuer } from './token-issuer.ts';
import { startProcess } from './vault-process.ts';

const policy = { subject: 'CN=a', keyType: 'EC', contentType: 'application/x-pem-file' } as const;

describe('What a vault has acknowledged', () => {
  test('is there after a restart: versions, policy, and a request that still waits for its certificate.', async (t) => {
    const stateDir = await temporaryDirectory(t);
    const first = await startVault(t, { stateDir });
    const { certificates, secrets } = first.clients;
    const poller = await certificates.beginCreateCertificate('web', { ...policy, issuerName: 'Self' });
    const made = await poller.pollUntilDone();
    const request = await requestCertificate(certificates, 'web', policy);
    await secrets.setSecret('token', 'one');
    await secrets.setSecret('token', 'two');
    await first.stop();

    const second = await startVault(t, { stateDir });
    const again = second.clients;
    assert.deepEqual((await again.certificates.getCertificate('web')).cer, made.cer);
    assert.equal((await again.certificates.getCertificatePolicy('web')).subject, 'CN=a');
    assert.equal((await again.secrets.getSecret('token')).value, 'two');
    const { leaf } = await issueFor(request);
    await again.certificates.mergeCertificate('web', [leaf]);
    const { items } = await collect(again.certificates.listPropertiesOfCertificateVersions('web'));
    assert.equal(items.length, 2);
  });

  test('lies in files that only their owner can read, without half-written ones.', async (t) => {
    const stateDir = await temporaryDirectory(t);
    const first = await startVault(t, { stateDir });
    await first.clients.secrets.setSecret('token', 'one');
    await first.stop();
    const directory = join(stateDir, 'clients');
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
    for (const file of await readdir(directory)) {
      assert.equal((await stat(join(directory, file))).mode & 0o777, 0o600, file);
    }
    await writeFile(join(directory, 'token.json.1234.unfinished'), '{"v":1,"kind":"sec');
    const second = await startVault(t, { stateDir });
    assert.equal((await second.clients.secrets.getSecret('token')).value, 'one');
    assert.deepEqual(await readdir(directory), ['token.json']);
  });

  test('stops the start when a file is of a version this one does not know.', async (t) => {
    const stateDir = await temporaryDirectory(t);
    const first = await startVault(t, { stateDir });
    await first.clients.secrets.setSecret('token', 'one');
    await first.stop();
    await writeFile(join(stateDir, 'clients', 'token.json'), '{"v":2}');
    await assert.rejects(startVault(t, { stateDir }), /token\.json: it is of another version/);
  });

  test('survives SIGKILL under load: every acknowledged version is there, and nothing is half there.', async (t) => {
    const stateDir = await temporaryDirectory(t);
    const issuer = await startIssuer(t);
    const first = await startProcess(t, stateDir, issuer);
    await answerChallenges(first.clients);
    const acknowledged = new Map<string, { name: string; value: string }>();
    const certificates = new Map<string, string>();
    let enough = () => {};
    let failed = (_: unknown) => {};
    const loaded = new Promise<void>((resolve, reject) => {
      enough = resolve;
      failed = reject;
    });
    const load = Array.from({ length: 6 }, async (_, worker) => {
      const { secrets, certificates: client } = first.clients;
      try {
        for (let round = 0; ; round++) {
          const name = `secret-${(worker + round) % 4}`;
          const value = `${worker}-${round}-${'x'.repeat(2000)}`;
          const { properties } = await secrets.setSecret(name, value);
          acknowledged.set(properties.version ?? '', { name, value });
          if (round % 5 === 0) {
            const own = `certificate-${worker}`;
            const { leaf } = await issueFor(await requestCertificate(client, own, policy));
            const merged = await client.mergeCertificate(own, [leaf]);
            certificates.set(merged.properties.version ?? '', own);
          }
          if (acknowledged.size >= 120) enough();
        }
      } catch (error) {
        // The process is gone; anything before that is a failure of its own.
        if (!first.isKilled()) failed(error);
      }
    });
    try {
      await loaded;
    } finally {
      // Also what ends the other workers when one has failed.
      await first.kill();
      await Promise.all(load);
    }

    const { clients } = await startProcess(t, stateDir, issuer);
    for (const [version, { name, value }] of acknowledged) {
      assert.equal((await clients.secrets.getSecret(name, { version })).value, value);
    }
    for (const [version, name] of certificates) {
      assert.ok((await clients.certificates.getCertificateVersion(name, version)).cer);
      assert.match((await clients.secrets.getSecret(name, { version })).value ?? '', /PRIVATE KEY/);
    }
    const leftover = (await readdir(join(stateDir, 'clients'))).filter((file) => !file.endsWith('.json'));
    assert.deepEqual(leftover, []);
  });
});
