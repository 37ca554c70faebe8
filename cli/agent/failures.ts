/** What becomes of an act that failed: which of them are over with time, which need another way, which need a person. */
import { NeedsLoginFile } from './acts.ts';
import { nextTry } from './backoff.ts';
import { BadAnswer, Refused } from './http.ts';
import { type Session, Unreachable } from './session.ts';
import type { AgentState, Concern } from './state.ts';

const SIX_HOURS_MS = 6 * 3_600_000;

export interface Failed {
  readonly act: 'log-in' | 'renew' | 'rotate-token' | 'check-in';
  readonly error: unknown;
  /** Of the token that the login file holds; null without a login file. */
  readonly tokenHash: string | null;
  /** False when the clock was set right in this run already: once more would be one time too many. */
  readonly mayCorrectClock: boolean;
}

const CONCERNS = {
  'log-in': 'certificate',
  renew: 'certificate',
  'rotate-token': 'token',
  'check-in': 'check-in',
} as const satisfies Record<Failed['act'], Concern>;

/**
 * Writes down what follows from a failure.
 * @returns what it was: the clock that is right now, a way that is closed while another is open, the need for an operator, or
 *   something to try again later
 * @throws the error itself when it is none of the server's and none of the way there: a disk that is full, a mistake of ours
 */
export async function settleFailure(
  session: Session,
  failed: Failed,
): Promise<'clock-corrected' | 'other-way' | 'blocked' | 'later'> {
  const { error, act } = failed;
  if (error instanceof NeedsLoginFile) return block(session, failed, 'NoLoginFile');
  if (!(error instanceof Refused || error instanceof BadAnswer || error instanceof Unreachable)) throw error;
  session.ports.report({
    event: 'failed',
    text: `Could not ${act.replace('-', ' ')}. ${error.message}`,
    details: { act, code: error instanceof Refused ? error.code : null },
  });
  if (!(error instanceof Refused)) return later(session, failed, null);
  if (error.serverTime !== null && failed.mayCorrectClock) return correctClock(session, error.serverTime);
  if (error.isRetryable) return later(session, failed, error.retryAfterSeconds);
  if (act === 'log-in') return settleLogin(session, failed, error);
  if (act === 'renew') return settleRenewal(session, failed, error);
  // What a certificate that is revoked cannot do, the token may still do.
  return error.code === 'Revoked' ? fallBack(session, true) : later(session, failed, null);
}

async function correctClock(session: Session, serverTime: Date): Promise<'clock-corrected'> {
  const clockOffsetMs = serverTime.getTime() - session.ports.now().getTime();
  await session.update({ clockOffsetMs });
  const seconds = Math.round(clockOffsetMs / 1000);
  session.ports.report({
    event: 'clock-corrected',
    text: `This machine's clock is ${Math.abs(seconds)} s ${seconds < 0 ? 'ahead of' : 'behind'} the server's`,
    details: { seconds },
  });
  return 'clock-corrected';
}

function settleLogin(session: Session, failed: Failed, { status, code }: Refused) {
  const { pending, current } = session.state;
  const isAboutToken = code === 'InvalidToken' || code === 'Expired';
  // A line of certificates that is locked or revoked is not to be continued; the token may begin another.
  if (!isAboutToken && pending !== null && pending.keyPem === current?.keyPem) return fallBack(session, true);
  if (status === 401 || status === 403) return block(session, failed, code ?? 'AccessDenied');
  return renounce(session, failed);
}

function settleRenewal(session: Session, failed: Failed, { status, code }: Refused) {
  const isOver = session.now() > new Date(session.state.current?.notAfter ?? 0);
  // A refused request says nothing of the certificate, as long as that is good.
  if ((status === 400 || status === 413) && !isOver) return renounce(session, failed);
  return fallBack(session, code !== 'Expired');
}

async function fallBack(session: Session, hasFreshKey: boolean): Promise<'other-way'> {
  await session.update({ fallback: { hasFreshKey }, pending: null });
  return 'other-way';
}

/** The request itself was refused: the next one gets a key of its own. */
async function renounce(session: Session, failed: Failed): Promise<'later'> {
  await session.update({ pending: null });
  return later(session, failed, null);
}

async function block(session: Session, { tokenHash }: Failed, code: string): Promise<'blocked'> {
  const retryAt = new Date(session.now().getTime() + SIX_HOURS_MS).toISOString();
  // When it is tried again, it begins with the renewal: an operator may have unlocked or restored it by then.
  await session.update({
    blocked: { code, tokenHash: tokenHash ?? '', retryAt },
    pending: null,
    fallback: null,
    retries: {},
  });
  return 'blocked';
}

async function later(session: Session, { act }: Failed, retryAfterSeconds: number | null): Promise<'later'> {
  const { state, ports } = session;
  const concern = CONCERNS[act];
  const attempts = (state.retries[concern]?.attempts ?? 0) + 1;
  const endsAt = endOf(state, concern);
  const at = nextTry({ attempts, now: session.now(), endsAt, retryAfterSeconds, random: ports.random() });
  await session.update({ retries: { ...state.retries, [concern]: { attempts, at: at.toISOString() } } });
  return 'later';
}

function endOf({ current, token }: AgentState, concern: Concern): Date | null {
  if (concern === 'certificate' && current !== null) return new Date(current.notAfter);
  if (concern === 'token' && token !== null) return new Date(token.expiresAt);
  return null;
}
