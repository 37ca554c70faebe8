import { verify, X509Certificate } from 'node:crypto';

/** A checkpoint as it was found: a compact JWS under the name `<chain>/<seq>.jws`. */
export interface StoredCheckpoint {
  readonly chain: string;
  readonly seq: number;
  readonly jws: string;
}

/** What a genuine checkpoint says. */
export interface Checkpoint {
  readonly chain: string;
  readonly seq: number;
  readonly headHash: string;
  readonly at: string;
}

/**
 * Reads a checkpoint and verifies its signature (ES256, RFC 7515 and RFC 7518, 3.4).
 * @param trusted SHA-256 fingerprints of the certificates that may sign: the one in the JWS vouches for nothing itself
 * @returns the checkpoint, or what is wrong with it
 */
export function readCheckpoint(stored: StoredCheckpoint, trusted: ReadonlySet<string>): Checkpoint | string {
  const [header = '', payload = '', signature = '', ...more] = stored.jws.trim().split('.');
  const { alg, x5c } = parse(header) as { alg?: unknown; x5c?: unknown };
  const certificate = more.length === 0 && Array.isArray(x5c) ? readCertificate(x5c[0]) : null;
  if (alg !== 'ES256' || certificate === null) return 'it is no JWS with a certificate';
  if (!trusted.has(certificate.fingerprint256)) {
    return `it is signed by ${certificate.fingerprint256}, which is not a signing certificate of the vault`;
  }
  const key = { key: certificate.publicKey, dsaEncoding: 'ieee-p1363' } as const;
  const isGenuine = verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    key,
    Buffer.from(signature, 'base64url'),
  );
  if (!isGenuine) return 'its signature is wrong';
  const claims = parse(payload) as Partial<Checkpoint>;
  if (claims.chain !== stored.chain || claims.seq !== stored.seq) {
    return `it is of entry ${claims.seq} of "${claims.chain}" and lies under another name`;
  }
  return { chain: stored.chain, seq: stored.seq, headHash: String(claims.headHash), at: String(claims.at) };
}

function readCertificate(base64: unknown): X509Certificate | null {
  try {
    return new X509Certificate(Buffer.from(String(base64), 'base64'));
  } catch {
    return null;
  }
}

function parse(part: string): object {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
