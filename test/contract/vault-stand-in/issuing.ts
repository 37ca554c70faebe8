/** A small certificate authority for these tests, and the SDK calls that every issuing test makes. */
import 'reflect-metadata';
import { execFile } from 'node:child_process';
import { createHash, webcrypto, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import type { CertificateClient, CertificatePolicy } from '@azure/keyvault-certificates';
import type { CryptographyClient } from '@azure/keyvault-keys';
import * as x509 from '@peculiar/x509';

/** Begins a certificate of issuer Unknown and gives its request, DER. */
export async function requestCertificate(
  client: CertificateClient,
  name: string,
  policy: CertificatePolicy,
): Promise<Buffer> {
  await client.beginCreateCertificate(name, { ...policy, issuerName: 'Unknown' });
  const poller = await client.getCertificateOperation(name);
  const csr = poller.getOperationState().certificateOperation?.csr;
  if (csr === undefined) throw new Error(`${name} has no request.`);
  return Buffer.from(csr);
}

/** A certificate for a request by an authority that lives only as long as the test. */
export async function issueFor(
  request: Buffer,
  days = 90,
  notBefore = new Date(Date.now() - 60_000),
): Promise<{ leaf: Buffer; authority: Buffer }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const dates = {
    notBefore,
    notAfter: new Date(Date.now() + days * 86_400_000),
  };
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Test authority',
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
    ...dates,
  });
  const csr = new x509.Pkcs10CertificateRequest(new Uint8Array(request));
  const leaf = await x509.X509CertificateGenerator.create({
    subject: csr.subject,
    issuer: authority.subject,
    publicKey: csr.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: algorithm,
    ...dates,
  });
  return { leaf: Buffer.from(leaf.rawData), authority: Buffer.from(authority.rawData) };
}

/**
 * A self-signed authority certificate for the key behind a request, signed by that very key in the vault: built with
 * a throw-away key of the same kind, whose signature is then exchanged for the vault's.
 */
export async function selfSignInVault(
  request: Buffer,
  signer: CryptographyClient,
  kind: 'RSA' | 'EC',
): Promise<Buffer> {
  const algorithm =
    kind === 'RSA'
      ? {
          name: 'RSASSA-PKCS1-v1_5',
          modulusLength: 2048,
          publicExponent: new Uint8Array([1, 0, 1]),
          hash: 'SHA-256',
        }
      : { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const throwAway = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const csr = new x509.Pkcs10CertificateRequest(new Uint8Array(request));
  const draft = await x509.X509CertificateGenerator.create({
    serialNumber: '4711',
    subject: csr.subject,
    issuer: csr.subject,
    notBefore: new Date(Date.now() - 300_000),
    notAfter: new Date(Date.now() + 365 * 86_400_000),
    publicKey: csr.publicKey,
    signingKey: throwAway.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(csr.publicKey),
    ],
  });
  const outer = content(Buffer.from(draft.rawData));
  const tbs = element(outer, 0);
  const signatureAlgorithm = element(outer, tbs.length);
  const digest = createHash('sha256').update(tbs).digest();
  const { result } = await signer.sign(kind === 'RSA' ? 'RS256' : 'ES256', digest);
  const signature = kind === 'RSA' ? Buffer.from(result) : ecdsaDer(Buffer.from(result));
  return wrap(0x30, tbs, signatureAlgorithm, wrap(0x03, Buffer.from([0]), signature));
}

/** What `openssl x509 -text` prints. */
export async function opensslText(certificate: Buffer): Promise<string> {
  const pem = new X509Certificate(certificate).toString();
  const running = promisify(execFile)('openssl', ['x509', '-noout', '-text']);
  running.child.stdin?.end(pem);
  return (await running).stdout;
}

/** r || s as the DER sequence that X.509 wants (RFC 5480). */
function ecdsaDer(raw: Buffer): Buffer {
  const half = raw.length / 2;
  return wrap(0x30, integer(raw.subarray(0, half)), integer(raw.subarray(half)));
}

function integer(bytes: Buffer): Buffer {
  const digits = bytes.subarray(
    Math.max(
      0,
      bytes.findIndex((byte) => byte !== 0),
    ),
  );
  return wrap(0x02, (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : digits);
}

function wrap(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length =
    body.length < 0x80
      ? [body.length]
      : body.length < 0x100
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

/** The whole element that begins at `offset`, header included. */
function element(der: Buffer, offset: number): Buffer {
  const { header, length } = measure(der.subarray(offset));
  return der.subarray(offset, offset + header + length);
}

function content(der: Buffer): Buffer {
  const { header, length } = measure(der);
  return der.subarray(header, header + length);
}

function measure(der: Buffer): { header: number; length: number } {
  const first = der[1] ?? 0;
  if (first < 0x80) return { header: 2, length: first };
  const octets = first & 0x7f;
  return { header: 2 + octets, length: der.readUIntBE(2, octets) };
}
