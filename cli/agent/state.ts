import { join } from 'node:path';
import { type FileSystem, replaceFile } from './files.ts';

/** ISO 8601, as `Date.toISOString` writes it. */
type Instant = string;

/** The certificate in use and its key. */
export interface Current {
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly chainPem: string;
  readonly serialNumber: string;
  readonly notBefore: Instant;
  /** The last second that it is valid in (RFC 5280, 4.1.2.5). */
  readonly notAfter: Instant;
  /** When this agent renews: the server's renewAfter and a little jitter. */
  readonly renewAt: Instant;
}

/** A request for a certificate that may have been sent, and is sent again until it is answered. */
export interface Pending {
  readonly kind: 'login' | 'renew';
  readonly keyPem: string;
  readonly csrPem: string;
  readonly madeAt: Instant;
}

/** How an act has failed so far. */
export interface Retry {
  readonly attempts: number;
  readonly at: Instant;
}

export type Concern = 'certificate' | 'token' | 'check-in';

/** Everything that the agent has to remember. It is written before each request and after each answer. */
export interface AgentState {
  readonly v: 1;
  readonly name: string;
  readonly current: Current | null;
  readonly pending: Pending | null;
  /**
   * Set when the server refused a renewal for good: the next certificate comes by a login. `hasFreshKey` is false where the
   * login may go on with the line of certificates that the current key began or carried on.
   */
  readonly fallback: null | { readonly hasFreshKey: boolean };
  readonly bundle: null | { readonly id: string; readonly pem: string };
  /** When the server is next told which bundle we have, and asked whether there is a newer one. */
  readonly checkInAt: Instant;
  /** What is known of the token in the login file; its hash tells whether it is still that token. */
  readonly token: null | { readonly hash: string; readonly expiresAt: Instant; readonly rotateAt: Instant };
  /** What to add to this machine's clock to have the server's, in milliseconds. */
  readonly clockOffsetMs: number;
  /** This machine's own time when this was written. */
  readonly savedAt: Instant;
  readonly retries: Partial<Record<Concern, Retry>>;
  /** Set when nothing but an operator's new login file helps. */
  readonly blocked: null | { readonly code: string; readonly tokenHash: string; readonly retryAt: Instant };
}

export function emptyState(name: string): AgentState {
  return {
    v: 1,
    name,
    current: null,
    pending: null,
    fallback: null,
    bundle: null,
    checkInAt: new Date(0).toISOString(),
    token: null,
    clockOffsetMs: 0,
    savedAt: new Date(0).toISOString(),
    retries: {},
    blocked: null,
  };
}

/** A state file that this program cannot use; the message says what to do. */
export class StateError extends Error {}

export function statePath(folder: string): string {
  return join(folder, 'state.json');
}

/**
 * @returns null when the folder holds no state yet
 * @throws StateError when the file is damaged or of a newer program: it holds the only copy of a key, so it is left alone
 */
export async function loadState(files: FileSystem, folder: string): Promise<AgentState | null> {
  const path = statePath(folder);
  const text = await files.read(path);
  if (text === null) return null;
  const remedy = `Restore ${path} from a backup, or move it away and the agent logs in anew.`;
  let state: unknown;
  try {
    state = JSON.parse(text);
  } catch {
    throw new StateError(`${path} is not JSON. ${remedy}`);
  }
  if (typeof state !== 'object' || state === null || !('v' in state) || !('name' in state)) {
    throw new StateError(`${path} is not the state of an agent. ${remedy}`);
  }
  if (state.v !== 1) throw new StateError(`${path} was written by a newer everleaf. Run that one.`);
  return { ...emptyState(String(state.name)), ...(state as AgentState) };
}

export async function saveState(files: FileSystem, folder: string, state: AgentState): Promise<void> {
  await replaceFile(files, statePath(folder), `${JSON.stringify(state, null, 2)}\n`);
}
