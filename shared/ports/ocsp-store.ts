import type { Responder } from '../domain/responder.ts';
import type { Stored } from './identity-store.ts';

/** An OCSP response that was signed once and is given to everybody who asks the same (RFC 5019, 2.2). */
export interface KeptAnswer {
  readonly v: 1;
  /** The OCSPResponse, DER. */
  readonly der: Uint8Array;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
}

/**
 * The responders of the authorities, and the answers that they have signed.
 * 1. `insertResponder` makes a row or fails with AlreadyExists; `replaceResponder` fails with Conflict when the etag is not
 *    the row's. What was acknowledged every later read shows; null for a row that is not there.
 * 2. A responder that a newer program wrote fails with UnknownRecordVersion.
 * 3. `answer` gives what was kept last under a name in a window, or null. One of a newer program is null, and may be
 *    written over: it can be signed again at any time.
 * 4. `removeAnswersBefore` removes those of all windows that began before a moment, and may be called again whatever became
 *    of the last call.
 * Errors as IdentityStore.
 */
export interface OcspStore {
  responder(authorityId: string): Promise<Stored<Responder> | null>;
  insertResponder(value: Responder): Promise<void>;
  replaceResponder(value: Responder, etag: string): Promise<void>;
  /**
   * @param name hexadecimal digits, at least one
   * @param windowStart a whole minute
   */
  answer(name: string, windowStart: Date): Promise<KeptAnswer | null>;
  putAnswer(name: string, windowStart: Date, value: KeptAnswer): Promise<void>;
  /** @returns how many were removed */
  removeAnswersBefore(windowStart: Date): Promise<number>;
}
