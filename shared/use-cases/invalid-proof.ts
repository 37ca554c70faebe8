import { EverleafError } from '../domain/errors.ts';
import { toInstant } from '../domain/instants.ts';
import { invalidReasonOf } from '../pki/invalid.ts';
import type { Deps } from './deps.ts';

/** The one answer for a certificate that is not ours and a signature that is not its key's. */
export function invalidProof(): EverleafError {
  return new EverleafError('InvalidProof', 'The proof is not valid.');
}

/** Runs a reader, and turns its clause into the refusal of the proof, with the same reason. */
export function refusingProof<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const reason = invalidReasonOf(error);
    if (reason === null || !(error instanceof Error)) throw error;
    throw new EverleafError('InvalidProof', `The proof is not valid: ${error.message}.`, {
      details: { reason },
      cause: error,
    });
  }
}

/** The refusal of a proof made at another time; whoever sent it learns what time it is here. */
export function staleProof(deps: Pick<Deps, 'clock'>, clause: string): EverleafError {
  return new EverleafError('InvalidProof', `The proof is not valid: ${clause}.`, {
    details: { reason: 'stale', serverTime: toInstant(deps.clock.now()) },
  });
}
