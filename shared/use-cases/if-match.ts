import { EverleafError } from '../domain/errors.ts';
import type { Stored } from '../ports/identity-store.ts';

/**
 * What a caller expects to find before it changes something: `any` for whatever is there, else the etags of the
 * store of which one must be the current one. Null when the caller said nothing.
 */
export type IfMatch = 'any' | readonly string[] | null;

/**
 * Whether a caller may change what is stored: nobody overwrites what they have not seen (RFC 9110, 13.1.1; RFC 6585,
 * section 3). Of something that is not there yet nothing need be expected.
 * @param what the thing, for the sentence
 * @throws EverleafError PreconditionRequired when it exists and nothing was said; PreconditionFailed when it is not as
 *   expected, or not there
 */
export function assertIfMatch(ifMatch: IfMatch, stored: Stored<unknown> | null, what: string): void {
  if (ifMatch === null) {
    if (stored === null) return;
    throw new EverleafError(
      'PreconditionRequired',
      `Cannot change ${what}: it exists. Send its ETag in If-Match, so that nobody's change is lost.`,
    );
  }
  const isExpected = stored !== null && (ifMatch === 'any' || ifMatch.includes(stored.etag));
  if (!isExpected) throw preconditionFailed(what, stored !== null);
}

/** For a write that somebody else came before. */
export function preconditionFailed(what: string, isThere = true): EverleafError {
  return new EverleafError(
    'PreconditionFailed',
    isThere
      ? `Cannot change ${what}: it was changed since its ETag was read. Read it again.`
      : `Cannot change ${what}: If-Match names a state of it, and it is not there.`,
  );
}
