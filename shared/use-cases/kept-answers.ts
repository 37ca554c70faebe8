import { addMs, HOUR_MS, MINUTE_MS } from '../domain/instants.ts';
import { sharedWindow } from '../domain/rate-window.ts';
import type { CertId } from '../pki/ocsp-cert-id.ts';
import type { OcspCertStatus } from '../pki/ocsp-response.ts';
import type { KeptAnswer } from '../ports/ocsp-store.ts';
import type { Deps, Run } from './deps.ts';
import { hashedName, orLog } from './source-window.ts';

/** From thisUpdate to nextUpdate of an answer that is kept. */
export const ANSWER_VALIDITY_MS = 24 * HOUR_MS;

/** An answer is given out for half of its validity at most, so that whoever gets it last has the other half left. */
const WINDOW_MS = ANSWER_VALIDITY_MS / 2;

/** Where an answer is kept, and until when it is given out. */
export interface AnswerPlace {
  readonly name: string;
  readonly windowStart: Date;
  /** The first moment at which it is signed anew. */
  readonly windowEnd: Date;
}

/**
 * The place of the answer to one question. Its name is made of all that the answer says: of the question to the letter and of
 * the status, so that what was signed for another status is never found again. Its window begins at a moment that differs from
 * question to question, so that not all of them are signed at once.
 */
export function placeOf(
  deps: Pick<Deps, 'clock' | 'digest'>,
  authorityId: string,
  { der }: Pick<CertId, 'der'>,
  status: OcspCertStatus,
): AnswerPlace {
  const said =
    status.kind === 'revoked' ? `revoked ${status.revokedAt.toISOString()} ${status.reason}` : status.kind;
  const asked = Buffer.from(der).toString('hex');
  const name = hashedName(deps, `everleaf/ocsp-answer|${authorityId}|${asked}|${said}`);
  const offsetMs = (Number.parseInt(name.slice(0, 8), 16) % (WINDOW_MS / MINUTE_MS)) * MINUTE_MS;
  const windowStart = addMs(sharedWindow(addMs(deps.clock.now(), -offsetMs), WINDOW_MS), offsetMs);
  return { name, windowStart, windowEnd: addMs(windowStart, WINDOW_MS) };
}

/** What was signed for this place and has not ended; null when it is to be signed. */
export async function readKept(
  deps: Pick<Deps, 'clock' | 'ocsp'>,
  { name, windowStart }: AnswerPlace,
): Promise<KeptAnswer | null> {
  const kept = await deps.ocsp.answer(name, windowStart);
  const now = deps.clock.now();
  return kept !== null && kept.thisUpdate <= now && now < kept.nextUpdate ? kept : null;
}

/** Keeps an answer. It is good without that too: what fails here is told and left at that. */
export async function keep(
  deps: Pick<Deps, 'ocsp'>,
  run: Run,
  { name, windowStart }: AnswerPlace,
  answer: KeptAnswer,
): Promise<void> {
  await orLog(run, 'keep an OCSP answer', () => deps.ocsp.putAnswer(name, windowStart, answer));
}
