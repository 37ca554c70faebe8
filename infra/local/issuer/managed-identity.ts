/**
 * The token endpoint that App Service puts beside an app with a managed identity: "How to use managed identities for App
 * Service and Azure Functions", section "REST endpoint reference" (Microsoft Learn), api-version 2019-08-01.
 */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { SigningKey } from './signing-key.ts';
import { mintToken } from './tokens.ts';

export interface ManagedIdentity {
  readonly issuer: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly principalId: string;
  /** The value of IDENTITY_HEADER; whoever can send it is the app. */
  readonly identityHeader: string;
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

const API_VERSION = '2019-08-01';
// Entra ID gives managed identities tokens of 24 hours ("Managed identity token caching", Microsoft Learn).
const LIFETIME_SECONDS = 24 * 3600;

/**
 * Answers `GET /msi/token?api-version=2019-08-01&resource=...&client_id=...` with X-IDENTITY-HEADER.
 * The sentence for an unknown client id is the real endpoint's, as MSAL's own end-to-end tests expect it
 * (AzureAD/microsoft-authentication-library-for-dotnet); the others are ours, since Microsoft does not publish them.
 */
export async function answerManagedIdentity(
  identity: ManagedIdentity,
  key: SigningKey,
  query: URLSearchParams,
  header: string | undefined,
): Promise<Answer> {
  if (header === undefined || !equal(header, identity.identityHeader)) {
    return refuse(401, 'The X-IDENTITY-HEADER header is missing or is not the value of IDENTITY_HEADER.');
  }
  if (query.get('api-version') !== API_VERSION) {
    return refuse(400, `The api-version is missing or not supported; expected ${API_VERSION}.`);
  }
  const resource = query.get('resource');
  if (resource === null || resource === '') {
    return refuse(
      400,
      'The parameter resource is missing: the audience of the token, such as https://vault.azure.net.',
    );
  }
  const others = ['principal_id', 'object_id', 'mi_res_id'].some((name) => query.has(name));
  // The identity is a user-assigned one, as AZURE_CLIENT_ID says; without client_id the real endpoint would look for a
  // system-assigned identity, which this app has not.
  if (others || query.get('client_id') !== identity.clientId) {
    return refuse(
      400,
      'No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.',
    );
  }
  const { token, expiresOn } = await mintToken(key, {
    issuer: identity.issuer,
    tenantId: identity.tenantId,
    audience: resource,
    principal: { objectId: identity.principalId, clientId: identity.clientId },
    lifetimeSeconds: LIFETIME_SECONDS,
  });
  return {
    status: 200,
    body: {
      access_token: token,
      expires_on: String(expiresOn),
      resource,
      token_type: 'Bearer',
      client_id: identity.clientId,
    },
  };
}

function refuse(statusCode: number, message: string): Answer {
  return { status: statusCode, body: { statusCode, message, correlationId: randomUUID() } };
}

function equal(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
