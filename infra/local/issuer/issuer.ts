/**
 * The identity provider of the local environment: what Entra ID is in Azure, as far as Everleaf and the vault stand-in look at
 * it. OpenID Connect Discovery 1.0 and a key set (RFC 7517) for those who check tokens, the managed identity endpoint
 * for the app. Operators' tokens are not issued here: the supervisor writes them into files.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerManagedIdentity } from './managed-identity.ts';
import { loadOrCreateSigningKey } from './signing-key.ts';
import { issuerUrl } from './tokens.ts';

export interface IssuerProcessConfig {
  /** Where the signing key is kept. */
  readonly stateDir: string;
  /** Port on 127.0.0.1; 0 = any free one. */
  readonly port: number;
  readonly tenantId: string;
  /** The managed identity of the app: its client id, its object id, and the secret of its endpoint. */
  readonly clientId: string;
  readonly principalId: string;
  readonly identityHeader: string;
}

export interface RunningIssuer {
  /** The `iss` of every token; discovery at `<issuer>/.well-known/openid-configuration`. */
  readonly issuer: string;
  /** For IDENTITY_ENDPOINT. */
  readonly msiEndpoint: string;
  stop(): Promise<void>;
}

/** Starts the provider on 127.0.0.1. */
export async function startIssuer(config: IssuerProcessConfig): Promise<RunningIssuer> {
  const key = await loadOrCreateSigningKey(config.stateDir);
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      console.error(error);
      if (!response.headersSent) send(response, 500, { error: 'server_error' });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const issuer = issuerUrl(port, config.tenantId);
  const tenantPath = new URL(issuer).pathname;
  const keysUrl = `http://127.0.0.1:${port}/${config.tenantId}/discovery/v2.0/keys`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET') return send(response, 405, { error: 'method_not_allowed' });
    const url = URL.parse(request.url ?? '/', issuer);
    if (url === null) return send(response, 404, { error: 'not_found' });
    if (url.pathname === `${tenantPath}/.well-known/openid-configuration`) {
      return send(response, 200, {
        issuer,
        jwks_uri: keysUrl,
        id_token_signing_alg_values_supported: ['RS256'],
        response_types_supported: ['token'],
        subject_types_supported: ['pairwise'],
      });
    }
    if (url.pathname === new URL(keysUrl).pathname) return send(response, 200, { keys: [key.publicJwk] });
    if (url.pathname === '/msi/token') {
      const header = request.headers['x-identity-header'];
      const { status, body } = await answerManagedIdentity(
        { ...config, issuer },
        key,
        url.searchParams,
        typeof header === 'string' ? header : undefined,
      );
      return send(response, status, body);
    }
    return send(response, 404, { error: 'not_found' });
  }

  return {
    issuer,
    msiEndpoint: `http://127.0.0.1:${port}/msi/token`,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
