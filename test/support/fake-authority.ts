/** An authority for tests, on another X.509 library than the product and the agent. */
import 'reflect-metadata';
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const DAY_MS = 86_400_000;
const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const RENEW_CERTIFICATES = '1.3.6.1.4.1.311.104.1.1';
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

type SigningKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** A certificate request whose own signature is right. */
export interface ReadRequest {
  readonly request: x509.Pkcs10CertificateRequest;
  readonly keyHash: string;
  readonly csrHash: string;
}

export class FakeAuthority {
  readonly #now: () => Date;
  readonly #authorities: x509.X509Certificate[] = [];
  #signer: SigningKey | null = null;

  private constructor(now: () => Date) {
    this.#now = now;
  }

  static async make(now: () => Date): Promise<FakeAuthority> {
    const authority = new FakeAuthority(now);
    await authority.succeed();
    return authority;
  }

  /** A new one signs everything from now on; the ones before stay in the bundle. */
  async succeed(): Promise<void> {
    const keys = await crypto.subtle.generateKey(EC, false, ['sign', 'verify']);
    const now = this.#now().getTime();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=authority-${this.#authorities.length}`,
      keys,
      signingAlgorithm: EC,
      notBefore: new Date(now - DAY_MS),
      notAfter: new Date(now + 3650 * DAY_MS),
      extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
    });
    this.#authorities.push(certificate);
    this.#signer = keys.privateKey;
  }

  bundle(): string {
    return this.#authorities.map((certificate) => `${certificate.toString('pem')}\n`).join('');
  }

  bundleId(): string {
    const hashes = this.#authorities.map(({ rawData }) =>
      createHash('sha256').update(Buffer.from(rawData)).digest('hex'),
    );
    return createHash('sha256')
      .update(Buffer.from(hashes.sort().join(''), 'hex'))
      .digest('hex');
  }

  async issue(
    { request }: ReadRequest,
    dates: { notBefore: Date; notAfter: Date },
  ): Promise<X509Certificate> {
    const made = await x509.X509CertificateGenerator.create({
      subject: 'O=management, CN=KMS',
      issuer: this.#authorities.at(-1)?.subject ?? '',
      ...dates,
      serialNumber: `4${randomBytes(16).toString('hex').slice(1)}`,
      publicKey: request.publicKey,
      signingKey: this.#signer as SigningKey,
      signingAlgorithm: EC,
    });
    return new X509Certificate(Buffer.from(made.rawData));
  }
}

/** @returns null when it is not a request of KMS, signed by its own key */
export async function readRequest(pem: string): Promise<ReadRequest | null> {
  const request = new x509.Pkcs10CertificateRequest(pem);
  if (request.subject !== 'CN=KMS' || !(await request.verify())) return null;
  const hash = (bytes: ArrayBuffer) => createHash('sha256').update(Buffer.from(bytes)).digest('hex');
  return { request, keyHash: hash(request.publicKey.rawData), csrHash: hash(request.rawData) };
}

/** The certificate to renew that a request names inside itself; null when it names none. */
export function provenInside({ request }: ReadRequest): X509Certificate | null {
  const old = proofTexts(request)[1];
  return old === undefined ? null : new X509Certificate(old);
}

/** Whether a request holds a throw-away certificate as the cloud agent's clients make it. */
export async function isProofRight(
  { request }: ReadRequest,
  old: X509Certificate,
  now: Date,
): Promise<boolean> {
  const proof = new x509.X509Certificate(proofTexts(request)[0] ?? '');
  const publicKey = new x509.PublicKey(old.publicKey.export({ type: 'spki', format: 'der' }));
  return (
    (await proof.verify({ publicKey, signatureOnly: true })) &&
    Buffer.from(proof.publicKey.rawData).equals(Buffer.from(request.publicKey.rawData)) &&
    proof.subject === 'CN=CSR Key' &&
    proof.serialNumber === '01' &&
    proof.issuer === new x509.X509Certificate(old.raw).subject &&
    proof.getExtension(x509.BasicConstraintsExtension)?.ca !== true &&
    Math.abs(now.getTime() - proof.notBefore.getTime()) <= DAY_MS
  );
}

function proofTexts(request: x509.Pkcs10CertificateRequest): string[] {
  const extension = request.getExtension(RENEW_CERTIFICATES);
  return extension === null ? [] : (Buffer.from(extension.value).toString().match(PEM) ?? []);
}
