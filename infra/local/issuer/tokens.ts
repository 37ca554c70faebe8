/** The tokens of the local identity provider, with the claims that Entra ID puts into access tokens. */
import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { SigningKey } from './signing-key.ts';

/** Somebody the provider knows: a managed identity or a person. */
export interface Principal {
  /** Object id in the tenant: the claims `oid` and `sub`; roles are assigned to it. */
  readonly objectId: string;
  /** Client id of the application that asked: the claims `appid` and `azp`. */
  readonly clientId: string;
  /** App roles, for example `Everleaf.Operator`; the claim is left out when there are none. */
  readonly roles?: readonly string[];
}

export interface TokenRequest {
  readonly issuer: string;
  readonly tenantId: string;
  readonly audience: string;
  readonly principal: Principal;
  /** Validity from now on, in seconds. */
  readonly lifetimeSeconds: number;
}

/** Ten years of the virtual calendar, leap days counted roughly: longer than any story played on one machine. */
export const TEN_YEARS_SECONDS = 10 * 365.25 * 24 * 3600;

/** Issuer URL of a tenant, in the form of Entra ID's version 2.0 endpoints. */
export function issuerUrl(port: number, tenantId: string): string {
  return `http://127.0.0.1:${port}/${tenantId}/v2.0`;
}

/**
 * Signs an access token. Claims after "Access token claims reference" (Microsoft identity platform): iss, aud, oid, sub,
 * tid, appid/azp, roles, iat, nbf, exp, and `uti` so that no two tokens are equal.
 * @returns the token and its `exp` in seconds since 1970, on the virtual clock
 */
export async function mintToken(
  key: SigningKey,
  request: TokenRequest,
): Promise<{ token: string; expiresOn: number }> {
  const now = Math.floor(Date.now() / 1000);
  const expiresOn = now + Math.floor(request.lifetimeSeconds);
  const { objectId, clientId, roles = [] } = request.principal;
  const token = await new SignJWT({
    tid: request.tenantId,
    oid: objectId,
    appid: clientId,
    azp: clientId,
    ...(roles.length === 0 ? {} : { roles: [...roles] }),
    uti: randomUUID(),
    ver: '2.0',
  })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid })
    .setIssuer(request.issuer)
    .setAudience(request.audience)
    .setSubject(objectId)
    .setIssuedAt(now)
    .setNotBefore(now)
    .setExpirationTime(expiresOn)
    .sign(key.privateKey);
  return { token, expiresOn };
}
