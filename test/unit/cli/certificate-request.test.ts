import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { certificateRequest } from '../../../cli/agent/csr.ts';
import { KEY_TYPES, newKey } from '../../../cli/agent/keys.ts';
import { parseCertificateRequest } from '../../../shared/pki/certificate-request.ts';
import { decodePem } from '../../../shared/pki/pem.ts';

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'everleaf-csr-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function openssl(input: string, ...args: string[]): string {
  return execFileSync('openssl', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
}

/** A self-signed certificate with a subject that openssl writes in several string types. */
function certificateFor(keyPem: string, days: number): string {
  const path = join(folder, 'old.key');
  writeFileSync(path, keyPem);
  const subject = '/O=management/CN=KMS/emailAddress=a@b.example';
  return openssl('', 'req', '-x509', '-new', '-key', path, '-subj', subject, '-days', String(days));
}

describe('a certificate request of the agent', () => {
  for (const type of KEY_TYPES) {
    it(`is one that openssl and the server accept (${type})`, async () => {
      const keyPem = await newKey(type);
      const dnsNames = ['kms.example', 'localhost'];
      const csr = certificateRequest({ name: 'KMS-1.a', keyPem, dnsNames, renews: null });
      const text = openssl(csr, 'req', '-verify', '-noout', '-text', '-subject', '-nameopt', 'RFC2253');
      assert.match(text, /subject=CN=KMS-1\.a/);
      assert.match(text, /DNS:kms\.example, DNS:localhost/);
      const publicKey = createPublicKey(keyPem).export({ type: 'spki', format: 'pem' });
      assert.equal(openssl(csr, 'req', '-noout', '-pubkey'), publicKey);
      parseCertificateRequest(csr);
    });
  }

  it('has no attributes when it asks for nothing but a certificate', async () => {
    const csr = certificateRequest({
      name: 'KMS',
      keyPem: await newKey('ec-p256'),
      dnsNames: [],
      renews: null,
    });
    assert.match(openssl(csr, 'req', '-verify', '-noout', '-text'), /Attributes:\s+\(none\)/);
  });

  for (const [oldType, newType] of [
    ['rsa-2048', 'rsa-2048'],
    ['rsa-2048', 'ec-p256'],
    ['ec-p256', 'ec-p256'],
  ] as const) {
    it(`proves an old ${oldType} key for a new ${newType} key as the cloud agent’s clients do`, async () => {
      const [oldKey, keyPem] = [await newKey(oldType), await newKey(newType)];
      const certificatePem = certificateFor(oldKey, 10);
      const now = new Date();
      const renews = { keyPem: oldKey, certificatePem, now };
      const csr = certificateRequest({ name: 'KMS', keyPem, dnsNames: [], renews });
      openssl(csr, 'req', '-verify', '-noout');
      const der = decodePem(csr, 'CERTIFICATE REQUEST');
      const [throwAway, old] =
        Buffer.from(der)
          .toString('latin1')
          .match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
      assert.ok(new X509Certificate(old ?? '').raw.equals(new X509Certificate(certificatePem).raw));
      const proof = new X509Certificate(throwAway ?? '');
      assert.ok(proof.verify(createPublicKey(oldKey)));
      assert.equal(proof.subject, 'CN=CSR Key');
      assert.equal(proof.serialNumber, '01');
      assert.equal(proof.ca, false);
      assert.equal(Date.parse(proof.validFrom), Math.floor(now.getTime() / 1000) * 1000);
      assert.equal(proof.validTo, new X509Certificate(certificatePem).validTo);
      const shown = openssl(throwAway ?? '', 'x509', '-noout', '-issuer', '-nameopt', 'RFC2253,show_type');
      const wanted = openssl(certificatePem, 'x509', '-noout', '-subject', '-nameopt', 'RFC2253,show_type');
      assert.equal(shown.replace('issuer=', ''), wanted.replace('subject=', ''), 'byte for byte');
      const spki = createPublicKey(keyPem).export({ type: 'spki', format: 'der' });
      assert.ok(proof.publicKey.export({ type: 'spki', format: 'der' }).equals(spki));
    });
  }

  it('proves an old key whose certificate has ended with a proof that has not', async () => {
    const [keyPem, oldKey] = [await newKey('ec-p256'), await newKey('ec-p256')];
    const certificatePem = certificateFor(oldKey, 10);
    const now = new Date('2060-01-01T00:00:00Z');
    const csr = certificateRequest({
      name: 'KMS',
      keyPem,
      dnsNames: [],
      renews: { keyPem: oldKey, certificatePem, now },
    });
    const text = Buffer.from(decodePem(csr, 'CERTIFICATE REQUEST')).toString('latin1');
    const proof = new X509Certificate(
      /-----BEGIN CERT[\s\S]*?-----END CERTIFICATE-----/.exec(text)?.[0] ?? '',
    );
    assert.equal(new Date(proof.validFrom).toISOString(), '2060-01-01T00:00:00.000Z');
    assert.equal(new Date(proof.validTo).toISOString(), '2060-01-02T00:00:00.000Z');
  });
});
