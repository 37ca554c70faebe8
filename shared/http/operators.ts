import { errors, type JWTPayload, jwtVerify } from 'jose';
import { EverleafError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import { issuerKeys, keysUnavailable } from './issuer-keys.ts';

export interface Operator {
  /** Object id of the person or program. */
  readonly id: string;
  /** The token's `roles`: what they are worth the access rules say. */
  readonly appRoles: readonly string[];
}

/** Says who the bearer token of an `Authorization` header names. */
export interface OperatorAuthenticator {
  /** @throws EverleafError NoAuthenticationInformation, InvalidToken, IdentityProviderUnavailable */
  authenticate(authorization: string | null): Promise<Operator>;
}

/** Entra ID signs with RS256; naming it keeps every other algorithm out (RFC 8725, 3.1). */
const ALGORITHMS = ['RS256'];
/** Clocks of others may be off by this much. */
const TOLERANCE_SECONDS = 60;

export interface OperatorSettings {
  readonly issuer: string;
  readonly audience: string;
  readonly tenantId: string;
}

/**
 * Bearer tokens of one OpenID issuer: issuer, audience, tenant and algorithm pinned, exp and nbf checked, keys
 * fetched from the issuer's discovery document and refreshed when a new one appears.
 */
export function openIdOperators(
  settings: OperatorSettings,
  clock: Pick<Clock, 'now'>,
): OperatorAuthenticator {
  const keysOf = issuerKeys(settings.issuer, clock);
  return {
    authenticate: async (authorization) => {
      const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization ?? '')?.[1];
      if (token === undefined) {
        throw new EverleafError(
          'NoAuthenticationInformation',
          'Send a bearer token of the configured issuer in the Authorization header.',
        );
      }
      const { issuer, audience } = settings;
      const options = {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: TOLERANCE_SECONDS,
        requiredClaims: ['exp'],
      };
      const { payload } = await jwtVerify(token, await keysOf(), options).catch(refuse);
      if (payload['tid'] !== settings.tenantId) throw invalid('it is of another tenant');
      return toOperator(payload);
    },
  };
}

function refuse(error: unknown): never {
  if (error instanceof errors.JWTExpired) throw invalid('it has expired');
  if (error instanceof errors.JWTClaimValidationFailed)
    throw invalid(`its claim ${error.claim} is not as expected`);
  // Codes that tell of the issuer's keys and not of the token; a failed fetch is no JOSEError at all.
  const isAboutKeys = ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC'];
  if (!(error instanceof errors.JOSEError) || isAboutKeys.includes(error.code)) throw keysUnavailable(error);
  throw invalid('it cannot be verified');
}

function invalid(why: string): EverleafError {
  return new EverleafError('InvalidToken', `The bearer token is not valid: ${why}.`);
}

function toOperator(payload: JWTPayload): Operator {
  const { oid, sub, roles } = payload as { oid?: unknown; sub?: unknown; roles?: unknown };
  const id = [oid, sub].find((claim) => typeof claim === 'string' && claim !== '');
  if (typeof id !== 'string') throw invalid('it names nobody');
  return { id, appRoles: Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [] };
}
