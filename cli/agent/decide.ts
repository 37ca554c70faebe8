import type { AgentState, Concern } from './state.ts';

/** The one thing to do now. */
export type Decision =
  | { readonly act: 'log-in' | 'renew' | 'rotate-token' | 'check-in' }
  /** Nothing but a new login file helps. */
  | { readonly act: 'ask-operator'; readonly code: string; readonly until: Date }
  | { readonly act: 'wait'; readonly until: Date; readonly for: Concern };

export interface Situation {
  readonly state: AgentState;
  /** The server's time, as far as it is known. */
  readonly now: Date;
  /** Hash of the token in the login file; null when there is no login file. */
  readonly tokenHash: string | null;
}

interface Due {
  readonly concern: Concern;
  readonly act: 'log-in' | 'renew' | 'rotate-token' | 'check-in';
  readonly at: Date;
}

/**
 * What to do, from what is known and nothing else. The certificate comes first: while there is none that works, the server
 * would refuse the rest.
 */
export function decide(situation: Situation): Decision {
  const { state, now, tokenHash } = situation;
  const { blocked } = state;
  const isBlocked = blocked !== null && blocked.tokenHash === (tokenHash ?? '');
  if (isBlocked && now < new Date(blocked.retryAt)) {
    return { act: 'ask-operator', code: blocked.code, until: new Date(blocked.retryAt) };
  }
  const dues = [certificateDue(situation), ...(isLive(state, now) ? companionsOf(situation) : [])];
  const due = dues.find(({ at }) => at <= now);
  if (due !== undefined) return { act: due.act };
  const next = dues.reduce((a, b) => (b.at < a.at ? b : a));
  return { act: 'wait', until: next.at, for: next.concern };
}

function certificateDue({ state, now }: Situation): Due {
  const { current, pending, fallback } = state;
  const isLogin = current === null || fallback !== null || pending?.kind === 'login';
  const isDueNow = isLogin || pending !== null;
  const at = gated(state, 'certificate', isDueNow ? now : new Date(current.renewAt));
  return { concern: 'certificate', act: isLogin ? 'log-in' : 'renew', at };
}

/** What only the holder of a live certificate can do. */
function companionsOf({ state, tokenHash }: Situation): Due[] {
  const { token, checkInAt } = state;
  const checkIn: Due = {
    concern: 'check-in',
    act: 'check-in',
    at: gated(state, 'check-in', new Date(checkInAt)),
  };
  // Of a token that an operator has put there we know nothing until the server's next answer.
  if (token === null || token.hash !== tokenHash) return [checkIn];
  const rotation: Due = {
    concern: 'token',
    act: 'rotate-token',
    at: gated(state, 'token', new Date(token.rotateAt)),
  };
  return [rotation, checkIn];
}

/** notAfter is the last second that counts (RFC 5280, 4.1.2.5). */
function isLive({ current, fallback }: AgentState, now: Date): boolean {
  return current !== null && fallback === null && now.getTime() < Date.parse(current.notAfter) + 1000;
}

function gated(state: AgentState, concern: Concern, due: Date): Date {
  const retry = state.retries[concern];
  return retry !== undefined && new Date(retry.at) > due ? new Date(retry.at) : due;
}
