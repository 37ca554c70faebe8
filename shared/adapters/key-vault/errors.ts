import { type ErrorCode, EverleafError } from '../../domain/errors.ts';

/** What Key Vault's clients throw for an answer that is an error, as far as it is looked at. */
interface VaultAnswer {
  readonly statusCode?: number;
  readonly code?: string;
  readonly message?: string;
  readonly response?: { readonly headers?: { get(name: string): string | undefined } };
}

/**
 * Puts a Key Vault failure into Everleaf's words.
 * @param doing what was tried, as the start of a sentence: `Cannot create "client--management--kms"`
 */
export function vaultError(error: unknown, doing: string): EverleafError {
  if (error instanceof EverleafError) return error;
  const answer = error as VaultAnswer;
  const status = answer.statusCode;
  const [code, remedy, retryable] = classify(answer);
  const retryAfter = Number(answer.response?.headers?.get('retry-after'));
  return new EverleafError(code, `${doing}: the vault answered ${status ?? 'nothing'}. ${remedy}`, {
    cause: error,
    retryable,
    ...(Number.isFinite(retryAfter) && retryAfter > 0 ? { retryAfterSeconds: retryAfter } : {}),
    details: { status: status ?? null, vaultCode: answer.code ?? null },
  });
}

/** True when the vault says that there is no such object, version or pending operation. */
export function isMissing(error: unknown): boolean {
  return (error as VaultAnswer).statusCode === 404;
}

function classify(answer: VaultAnswer): [ErrorCode, string, boolean] {
  const status = answer.statusCode;
  if (status === undefined) return ['VaultUnavailable', 'Check that it can be reached.', true];
  if (status === 401 || status === 403) {
    return [
      'VaultAccessDenied',
      "Check the app's role assignments; a new one takes some minutes to arrive.",
      true,
    ];
  }
  if (status === 404) return ['NotFound', 'There is no such object.', false];
  if (status === 409) return conflict(answer);
  if (status === 429) return ['VaultThrottled', 'It is asked too often; try again later.', true];
  if (status >= 500) return ['VaultUnavailable', 'Try again later.', true];
  return ['VaultRefused', answer.message ?? 'It gave no reason.', false];
}

/** 409 means three things: a version is being made, the name is soft-deleted, or another kind of object holds it. */
function conflict(answer: VaultAnswer): [ErrorCode, string, boolean] {
  const text = `${answer.code ?? ''} ${answer.message ?? ''}`;
  if (/ObjectIsDeletedButRecoverable|deleted but recoverable/i.test(text)) {
    return ['VaultObjectDeleted', 'The name is soft-deleted and can be recovered.', true];
  }
  if (/ObjectIsBeingDeleted|ObjectIsBeingRecovered|being (deleted|recovered)/i.test(text)) {
    return ['VaultUnavailable', 'The object is being deleted or recovered; try again later.', true];
  }
  if (/pending|in progress|inProgress/i.test(text)) {
    return ['VaultObjectPending', 'A version of that name is being made already.', true];
  }
  return ['VaultRefused', answer.message ?? 'Something else holds that name.', false];
}
