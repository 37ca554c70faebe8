import { EverleafError } from '../../domain/errors.ts';

/** What the storage clients throw for an answer that is an error, as far as it is looked at. */
interface StorageAnswer {
  readonly statusCode?: number;
  readonly code?: string;
  readonly message?: string;
  readonly details?: { readonly odataError?: { readonly code?: string } };
}

/**
 * Puts a failure of table or queue storage into Everleaf's words.
 * @param doing what was tried, as the start of a sentence
 */
export function storageError(error: unknown, doing: string): EverleafError {
  if (error instanceof EverleafError) return error;
  const status = statusOf(error);
  const details = { status: status ?? null, storageCode: codeOf(error) };
  const fail = (code: 'Throttled' | 'Unavailable' | 'AccessDenied' | 'Refused', remedy: string) =>
    new EverleafError(`Storage${code}`, `${doing}: the storage answered ${status ?? 'nothing'}. ${remedy}`, {
      cause: error,
      retryable: code !== 'Refused',
      details,
    });
  if (status === undefined) return fail('Unavailable', 'Check that it can be reached.');
  if (status === 401 || status === 403) {
    return fail('AccessDenied', "Check the app's role assignments; a new one takes some minutes to arrive.");
  }
  if (status === 409 || status === 412) {
    return new EverleafError('Conflict', `${doing}: somebody else changed it in between.`, {
      cause: error,
      details,
      retryable: true,
    });
  }
  if (status === 429) return fail('Throttled', 'It is asked too often; try again later.');
  if (status >= 500) return fail('Unavailable', 'Try again later.');
  return fail('Refused', (error as StorageAnswer).message ?? 'It gave no reason.');
}

export function statusOf(error: unknown): number | undefined {
  return (error as StorageAnswer).statusCode;
}

/** The storage's own code, wherever its client put it. */
export function codeOf(error: unknown): string | null {
  const answer = error as StorageAnswer;
  return answer.details?.odataError?.code ?? answer.code ?? null;
}
