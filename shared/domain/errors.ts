/**
 * Every failure that Everleaf knows by name. The codes are stable: clients, alerts and tests match on them,
 * never on the sentence. `http/problem.ts` maps each to a status; a code without a row there does not compile.
 */
export type ErrorCode =
  // What a caller sent.
  | 'InvalidInput'
  | 'InvalidCertificateRequest'
  | 'PayloadTooLarge'
  // Who a caller is.
  | 'InvalidToken'
  | 'InvalidProof'
  | 'Expired'
  | 'Revoked'
  | 'Locked'
  | 'NoAuthenticationInformation'
  | 'AccessDenied'
  | 'IdentityProviderUnavailable'
  | 'TooManyRequests'
  // What a caller asked for.
  | 'NotFound'
  | 'AlreadyExists'
  | 'InUse'
  | 'StateConflict'
  | 'IdentityRevoked'
  | 'IdempotencyMismatch'
  | 'PreconditionFailed'
  | 'PreconditionRequired'
  // What the record says.
  | 'Conflict'
  | 'InProgress'
  | 'NotReady'
  | 'AuthorityEnding'
  | 'UnknownRecordVersion'
  | 'AuditChainBroken'
  // What the vault and the storage say.
  | 'VaultObjectPending'
  | 'VaultObjectDeleted'
  | 'VaultAccessDenied'
  | 'VaultThrottled'
  | 'VaultUnavailable'
  | 'VaultRefused'
  | 'StorageAccessDenied'
  | 'StorageThrottled'
  | 'StorageUnavailable'
  | 'StorageRefused'
  // What must not happen.
  | 'InvalidSettings'
  | 'LintFailed'
  | 'Internal';

/** Values that may stand beside an error. Never a token, a private key or a request body. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

export interface ErrorOptions {
  readonly details?: ErrorDetails;
  /** True when the same call may succeed later without anybody changing anything. */
  readonly retryable?: boolean;
  /** How long to wait before that, in seconds, when the other side said so. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/**
 * The one error class. The message says what was tried, on what, and what was expected:
 * `Cannot issue a certificate for "KMS": token expired at 2026-11-01T00:00:00Z`.
 */
export class EverleafError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | null;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'EverleafError';
    this.code = code;
    this.details = options.details ?? {};
    this.retryable = options.retryable ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}

/** True when `error` is an EverleafError, of the code given when one is given. */
export function isEverleafError(error: unknown, ...codes: ErrorCode[]): error is EverleafError {
  return error instanceof EverleafError && (codes.length === 0 || codes.includes(error.code));
}

/** The code that a failure is told by: whatever is none of ours is Internal. */
export function errorCodeOf(error: unknown): ErrorCode {
  return isEverleafError(error) ? error.code : 'Internal';
}
