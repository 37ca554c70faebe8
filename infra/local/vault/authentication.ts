import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { VaultError } from './errors.ts';

/** Finds out who a bearer token speaks for; null when it is not worth anything, or a refusal that says why. */
export type Authenticate = (token: string) => Promise<Verdict> | Verdict;

export type Verdict = string | Refusal | null;

/** Why a genuine token is not for this vault, in the service's words. */
export interface Refusal {
  readonly refused: string;
}

/**
 * The principal of a request.
 * @throws VaultError 401 with the challenge that the SDKs wait for: they send the first request of a client without
 * token and body, read `authorization` and `resource` here and ask their credential for that resource
 * (@azure/keyvault-common, keyVaultAuthenticationPolicy; Microsoft Learn, "Authentication, requests and responses").
 */
export async function authenticateRequest(
  authorization: string | null,
  authenticate: Authenticate,
  challenge: { issuerUrl: string; audience: string },
): Promise<string> {
  const refuse = (message: string, error = '') =>
    new VaultError(401, 'Unauthorized', message, {
      headers: {
        'WWW-Authenticate': `Bearer authorization="${challenge.issuerUrl}", resource="${challenge.audience}"${error}`,
      },
    });
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) throw refuse('AKV10000: Request is missing a Bearer or PoP token.');
  const verdict = await authenticate(token);
  if (typeof verdict === 'string') return verdict;
  throw refuse(
    verdict?.refused ??
      'The token was refused: it needs a valid signature of the issuer, its name, this audience, an oid, and to be in time.',
    ', error="invalid_token"',
  );
}

/**
 * Checks tokens against an OpenID issuer: signature by the keys of its discovery document, issuer, audience and
 * expiry (by `Date`, which is the virtual clock here), and takes `oid` as the principal, as Key Vault does.
 * @param issuerUrl without a trailing slash; asked for its discovery document when the first token arrives.
 */
export function tokensOfIssuer(issuerUrl: string, audience: string): Authenticate {
  let keys: Promise<JWTVerifyGetKey> | undefined;
  return async (token) => {
    keys ??= discoverKeys(issuerUrl);
    let resolveKey: JWTVerifyGetKey;
    try {
      resolveKey = await keys;
    } catch (cause) {
      keys = undefined;
      throw issuerUnavailable(issuerUrl, cause);
    }
    try {
      const { payload } = await jwtVerify(token, resolveKey, {
        issuer: issuerUrl,
        audience,
        algorithms: ['RS256', 'PS256', 'ES256'],
        requiredClaims: ['exp'],
      });
      const oid = payload['oid'];
      return typeof oid === 'string' && oid !== '' ? oid : null;
    } catch (error) {
      const refusal = explain(error, issuerUrl, audience);
      if (refusal !== null) return refusal;
      // These two tell that the keys could not be had; every other code is a verdict on the token.
      const isAboutKeys = ['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC'];
      if (error instanceof errors.JOSEError && !isAboutKeys.includes(error.code)) return null;
      throw issuerUnavailable(issuerUrl, error);
    }
  };
}

/** A token for another resource, or from another tenant: the two that people meet (AKV10022 and AKV10032). */
function explain(error: unknown, issuerUrl: string, audience: string): Refusal | null {
  if (!(error instanceof errors.JWTClaimValidationFailed) || error.reason !== 'check_failed') return null;
  const { aud, iss } = error.payload;
  if (error.claim === 'aud') {
    return { refused: `AKV10022: Invalid audience. Expected ${audience}, found: ${String(aud)}.` };
  }
  if (error.claim === 'iss') {
    return { refused: `AKV10032: Invalid issuer. Expected one of ${issuerUrl}, found ${String(iss)}.` };
  }
  return null;
}

async function discoverKeys(issuerUrl: string): Promise<JWTVerifyGetKey> {
  const response = await fetch(`${issuerUrl}/.well-known/openid-configuration`);
  if (!response.ok) throw new Error(`The discovery document was answered with ${response.status}.`);
  const document = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
  if (document.issuer !== issuerUrl || typeof document.jwks_uri !== 'string') {
    throw new Error(`The discovery document names the issuer ${String(document.issuer)}, not ${issuerUrl}.`);
  }
  return createRemoteJWKSet(new URL(document.jwks_uri));
}

function issuerUnavailable(issuerUrl: string, cause: unknown): VaultError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new VaultError(
    503,
    'ServiceUnavailable',
    `Cannot check the token: the issuer ${issuerUrl} did not give its keys (${reason}).`,
    { headers: { 'Retry-After': '1' } },
  );
}
