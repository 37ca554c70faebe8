import type { HttpResponseInit } from '@azure/functions';
import { type ErrorCode, EverleafError } from '../domain/errors.ts';

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** The cloud agent's number for the same thing, where it has one. */
  readonly mocCode?: number;
  /** False where the sentence tells about Everleaf's inside: it goes to the log and not to the caller. */
  readonly isPublic: boolean;
  /** The part of the body that is always to blame (RFC 6901). */
  readonly pointer?: string;
}

const shown = (status: number, title: string, mocCode?: number): ProblemKind => ({
  status,
  title,
  isPublic: true,
  ...(mocCode === undefined ? {} : { mocCode }),
});
const hidden = (status: number, title: string): ProblemKind => ({ status, title, isPublic: false });

/** The one table of errors: a code without a row does not compile. */
const PROBLEMS: Readonly<Record<ErrorCode, ProblemKind>> = {
  InvalidInput: shown(400, 'The request is not as expected', 4),
  InvalidCertificateRequest: { ...shown(400, 'The certificate request is refused', 4), pointer: '/csr' },
  PayloadTooLarge: shown(413, 'The request is too large'),
  InvalidToken: shown(401, 'The token is not valid', 33),
  InvalidProof: shown(401, 'The proof of the key is not valid', 33),
  Expired: shown(401, 'The credential has expired', 29),
  Revoked: shown(401, 'The identity is revoked', 30),
  Locked: shown(403, 'The instance is locked until an operator has looked', 40),
  NoAuthenticationInformation: shown(401, 'The request carries no credential', 43),
  AccessDenied: shown(403, 'The caller is not allowed to do this', 40),
  IdentityProviderUnavailable: shown(503, 'The identity provider cannot be reached'),
  TooManyRequests: shown(429, 'The caller asks too often'),
  NotFound: shown(404, 'There is no such thing', 1),
  AlreadyExists: shown(409, 'It exists already', 7),
  InUse: shown(409, 'Something else still needs it'),
  StateConflict: shown(409, 'It is in another state than that needs'),
  IdentityRevoked: shown(409, 'The identity that it is about is revoked', 30),
  IdempotencyMismatch: shown(409, 'The Idempotency-Key belongs to another request'),
  PreconditionFailed: shown(412, 'It is not as the caller expects it'),
  PreconditionRequired: shown(428, 'The request must say what it expects to change'),
  Conflict: hidden(503, 'Somebody else changed the same record'),
  InProgress: shown(503, 'The same request is being answered'),
  NotReady: shown(503, 'The service is still starting'),
  AuthorityEnding: shown(503, 'The authority is about to end'),
  UnknownRecordVersion: hidden(503, 'The record was written by a newer version'),
  AuditChainBroken: hidden(500, 'The audit log differs from its checkpoints'),
  VaultObjectPending: hidden(503, 'The vault is busy with this name'),
  VaultObjectDeleted: hidden(503, 'The vault has this name deleted'),
  VaultAccessDenied: hidden(503, 'The vault refuses the service'),
  VaultThrottled: hidden(503, 'The vault is asked too often'),
  VaultUnavailable: hidden(503, 'The vault cannot be reached'),
  VaultRefused: hidden(500, 'The vault refuses the operation'),
  StorageAccessDenied: hidden(503, 'The storage refuses the service'),
  StorageThrottled: hidden(503, 'The storage is asked too often'),
  StorageUnavailable: hidden(503, 'The storage cannot be reached'),
  StorageRefused: hidden(500, 'The storage refuses the operation'),
  InvalidSettings: hidden(500, 'The service is not set up rightly'),
  LintFailed: hidden(500, 'The certificate would not have been right'),
  Internal: hidden(500, 'Something went wrong'),
};

/** An answer of RFC 9457 for whatever was thrown. An unknown error gives its correlation id and nothing else. */
export function problemResponse(error: unknown, correlationId: string): HttpResponseInit {
  const known = error instanceof EverleafError ? error : new EverleafError('Internal', '');
  const kind = PROBLEMS[known.code];
  const { reason } = known.details;
  const { serverTime } = known.details;
  const pointer = known.details['pointer'] ?? kind.pointer;
  return {
    status: kind.status,
    headers: {
      'content-type': 'application/problem+json',
      ...(known.retryAfterSeconds === null ? {} : { 'retry-after': String(known.retryAfterSeconds) }),
      ...(kind.status === 401 ? { 'www-authenticate': 'Bearer realm="everleaf"' } : {}),
    },
    body: JSON.stringify({
      type: `urn:everleaf:problem:${known.code}`,
      title: kind.title,
      status: kind.status,
      detail: kind.isPublic ? known.message : `${kind.title}. The log has more under the correlation id.`,
      instance: `urn:uuid:${correlationId}`,
      code: known.code,
      ...(kind.mocCode === undefined ? {} : { mocCode: kind.mocCode }),
      correlationId,
      retryable: known.retryable,
      ...(known.retryAfterSeconds === null ? {} : { retryAfterSeconds: known.retryAfterSeconds }),
      ...(typeof serverTime === 'string' ? { serverTime } : {}),
      ...(typeof pointer === 'string' && kind.isPublic
        ? { errors: [{ pointer, code: String(reason ?? known.code), detail: known.message }] }
        : {}),
    }),
  };
}
