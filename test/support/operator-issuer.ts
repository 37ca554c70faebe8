import { createPublicKey } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, SignJWT } from 'jose';
import { systemClock } from '../../shared/adapters/system/system-clock.ts';
import { type OperatorAuthenticator, openIdOperators } from '../../shared/http/operators.ts';
import { keptRsaKey } from './kept-keys.ts';

const AUDIENCE = 'api://everleaf';
const TENANT = 'tenant';

export interface OperatorIssuer {
  /** Trusts this issuer, in the one tenant. */
  readonly operators: OperatorAuthenticator;
  /** A genuine bearer token. */
  token(oid: string, roles?: readonly string[], tenant?: string): Promise<string>;
  stop(): Promise<void>;
}

/** An OpenID issuer on this machine, as far as the product looks at one. */
export async function startOperatorIssuer(): Promise<OperatorIssuer> {
  const privateKey = keptRsaKey('operator-issuer', 2048);
  const keys = [{ ...(await exportJWK(createPublicKey(privateKey))), kid: 'one', use: 'sig', alg: 'RS256' }];
  let issuer = '';
  const server = createServer((request, response) => {
    const answer = request.url === '/keys' ? { keys } : { issuer, jwks_uri: `${issuer}/keys` };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    operators: openIdOperators({ issuer, audience: AUDIENCE, tenantId: TENANT }, systemClock),
    token: (oid, roles = [], tenant = TENANT) =>
      new SignJWT({ oid, roles, tid: tenant })
        .setProtectedHeader({ alg: 'RS256', kid: 'one' })
        .setIssuer(issuer)
        .setAudience(AUDIENCE)
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
