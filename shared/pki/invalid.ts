import { EverleafError } from '../domain/errors.ts';

/**
 * What was wrong with bytes or text that came from outside, as a stable word for logs, tests and clients. The
 * sentence beside it is for people and may change; the word may not.
 */
export type InvalidReason =
  // The envelope.
  | 'too-large'
  | 'not-pem'
  | 'wrong-pem-label'
  | 'several-pem-blocks'
  | 'several-requests'
  | 'too-many-requests'
  | 'not-der'
  | 'trailing-data'
  | 'too-deep'
  // The structure inside it.
  | 'malformed'
  | 'unsupported-version'
  | 'too-many-extensions'
  | 'duplicate-extension'
  | 'too-many-names'
  // The key.
  | 'unsupported-key'
  | 'unsupported-curve'
  | 'explicit-curve'
  | 'compressed-point'
  | 'point-not-on-curve'
  | 'rsa-key-too-small'
  | 'rsa-key-too-large'
  | 'rsa-key-odd-size'
  | 'rsa-exponent'
  | 'weak-key'
  // The signature and what it covers.
  | 'weak-digest'
  | 'unsupported-signature-algorithm'
  | 'wrong-common-name'
  | 'signature-invalid';

/**
 * The error of everything in this folder that reads: what was found and what was expected, as one clause without a
 * subject ("the INTEGER is padded, expected the shortest form"), so that a caller can say what it was reading.
 */
export function invalid(reason: InvalidReason, clause: string, cause?: unknown): EverleafError {
  return new EverleafError('InvalidInput', clause, { details: { reason }, cause });
}

/** The word of an error made by `invalid`, or null for any other. */
export function invalidReasonOf(error: unknown): InvalidReason | null {
  if (!(error instanceof EverleafError) || error.code !== 'InvalidInput') return null;
  return (error.details['reason'] as InvalidReason | undefined) ?? null;
}
