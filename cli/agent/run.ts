import { checkIn, logIn, renew, rotateToken } from './acts.ts';
import { type Decision, decide } from './decide.ts';
import { settleFailure } from './failures.ts';
import type { LoginFile } from './login-file.ts';
import { type AgentOptions, type AgentPorts, readLoginFile, Session, WrongIdentity } from './session.ts';
import { emptyState, loadState, StateError } from './state.ts';

/** How a run ended: nothing is due any more; something failed and is tried again; nothing helps but a person. */
export interface Outcome {
  readonly result: 'done' | 'failed' | 'blocked';
  /** When to come back, by this machine's clock. */
  readonly until: Date;
}

const ACTS = { 'log-in': logIn, renew, 'rotate-token': rotateToken, 'check-in': checkIn } as const;
/** More than any good run takes; beyond it something is wrong, and the next run goes on. */
const MOST_ACTS = 12;
const PAUSE_MS = 60_000;
const SHORTEST_PAUSE_MS = 1000;

/** What to tell whoever can help, for each reason that nothing else does. */
const REMEDIES: Readonly<Record<string, string>> = {
  NoLoginFile: 'There is no login file that can be used.',
  Expired: 'The token has expired, and so has the certificate or its time to be renewed late.',
  InvalidToken: 'The server does not know the token; an earlier one ends when its successor is used.',
  Revoked: 'The identity is revoked. If that was a mistake, an operator has to take it back first.',
};

/**
 * Does everything that is due now, one act after the other, each on the disk before the next.
 * @throws StateError, WrongIdentity, and whatever the disk says
 */
export async function runOnce(ports: AgentPorts, options: AgentOptions): Promise<Outcome> {
  await ports.files.makeFolder(options.folder);
  const first = await readLoginFile(ports, options.loginFile);
  const state = await loadState(ports.files, options.folder);
  if (state === null && first === null) return askOperator(ports, options, 'NoLoginFile');
  const session = new Session(ports, options, state ?? emptyState(first?.name ?? ''));
  await session.doubtClock();
  let mayCorrectClock = true;
  let hasFailed = false;
  for (let acts = 0; acts < MOST_ACTS; acts++) {
    await session.publish();
    const login = acts === 0 ? first : await readLoginFile(ports, options.loginFile);
    checkIdentity(session, login);
    const tokenHash = login?.tokenHash ?? null;
    const decision = decide({ state: session.state, now: session.now(), tokenHash });
    if (decision.act === 'ask-operator') return askOperator(ports, options, decision.code);
    if (decision.act === 'wait') return waiting(session, decision, hasFailed);
    try {
      await ACTS[decision.act](session, login);
    } catch (error) {
      const end = await settleFailure(session, { act: decision.act, error, tokenHash, mayCorrectClock });
      if (end === 'clock-corrected') mayCorrectClock = false;
      if (end === 'later') hasFailed = true;
    }
  }
  return { result: 'failed', until: new Date(ports.now().getTime() + PAUSE_MS) };
}

/** How a loop waits, and learns that it is to end. */
export interface LoopControl {
  /** Returns after so many milliseconds, or at once when the loop is to end. */
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly isStopped: () => boolean;
}

/**
 * Goes on until it is told to stop. It looks at the clock every minute and does not trust one long sleep: machines are
 * suspended, clocks are set, and an operator may put a new login file in place. A full disk is waited out as well.
 * @throws StateError, WrongIdentity: they do not pass by themselves
 */
export async function runLoop(ports: AgentPorts, options: AgentOptions, loop: LoopControl): Promise<void> {
  const quiet = { ...ports, report: withoutRepetitions(ports.report) };
  while (!loop.isStopped()) {
    const now = ports.now().getTime();
    let until = now + PAUSE_MS;
    try {
      until = (await runOnce(quiet, options)).until.getTime();
    } catch (error) {
      if (error instanceof StateError || error instanceof WrongIdentity) throw error;
      quiet.report({ event: 'error', text: error instanceof Error ? error.message : String(error) });
    }
    await loop.pause(Math.min(Math.max(until - now, SHORTEST_PAUSE_MS), PAUSE_MS));
  }
}

/** What has not changed since the last look is not told again every minute. */
function withoutRepetitions(report: AgentPorts['report']): AgentPorts['report'] {
  let last = '';
  return (event) => {
    if (event.text !== last) report(event);
    last = event.text;
  };
}

function waiting(session: Session, decision: Decision & { act: 'wait' }, hasFailed: boolean): Outcome {
  const until = new Date(decision.until.getTime() - session.state.clockOffsetMs);
  const at = until.toISOString().replace(/\.\d{3}Z$/, 'Z');
  session.ports.report({
    event: 'waiting',
    text: `Nothing more to do until ${at} (${decision.for})`,
    details: { until: at, for: decision.for },
  });
  return { result: hasFailed ? 'failed' : 'done', until };
}

function askOperator(ports: AgentPorts, { loginFile }: AgentOptions, code: string): Outcome {
  const reason = REMEDIES[code] ?? `The server refuses the token (${code}).`;
  ports.report({
    event: 'operator-needed',
    text: `${reason} An operator has to rotate the token (POST .../identities/{name}/rotate) and put the login file that it answers at ${loginFile}`,
    details: { code },
  });
  return { result: 'blocked', until: new Date(ports.now().getTime() + PAUSE_MS) };
}

function checkIdentity({ state, options }: Session, login: LoginFile | null): void {
  if (login === null || login.name === state.name) return;
  throw new WrongIdentity(
    `${options.folder} holds the credentials of "${state.name}", and ${options.loginFile} is for "${login.name}". ` +
      'Give each identity a folder of its own.',
  );
}
