import { createPublicKey, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, SignJWT } from 'jose';
import { keptRsaKey } from '../../support/kept-keys.ts';

/** An OpenID issuer with one key, for as long as a test runs. */
export interface TokenIssuer {
  readonly url: string;
  /** A token for a principal; `claims` replace what it would say. */
  token(principal: string, claims?: Record<string, unknown>, key?: KeyObject): Promise<string>;
}

const TENANT = '7c1f1d3e-0b1a-4c55-9f0e-2f6f3b1f9d10';

export const AUDIENCE = 'https://vault.azure.net';

export async function startIssuer(test: { after(fn: () => Promise<void>): void }): Promise<TokenIssuer> {
  const privateKey = keptRsaKey('token-issuer', 2048);
  const jwk = { ...(await exportJWK(createPublicKey(privateKey))), kid: 'one', use: 'sig', alg: 'RS256' };
  const server = createServer((request, response) => {
    response.setHeader('Content-Type', 'application/json');
    const isKeys = request.url?.endsWith('/keys');
    response.end(JSON.stringify(isKeys ? { keys: [jwk] } : { issuer: url, jwks_uri: `${url}/keys` }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${TENANT}`;
  test.after(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return {
    url,
    token: (principal, claims = {}, key = privateKey) => {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({ iss: url, aud: AUDIENCE, oid: principal, nbf: now, exp: now + 3600, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: 'one' })
        .sign(key);
    },
  };
}
