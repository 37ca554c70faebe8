import { accessFileText } from './access-file.ts';
import { type FileSystem, replaceFile } from './files.ts';
import { type HttpAnswer, type HttpRequest, jsonOf, type Send } from './http.ts';
import type { KeyType } from './keys.ts';
import { type LoginFile, LoginFileError, parseLoginFile } from './login-file.ts';
import { requestProof } from './proof.ts';
import { type AgentState, saveState } from './state.ts';

/** What the agent needs from the world. */
export interface AgentPorts {
  readonly files: FileSystem;
  readonly send: Send;
  /** This machine's clock. */
  readonly now: () => Date;
  /** From 0 up to but not 1; for jitter, never for secrets. */
  readonly random: () => number;
  readonly report: (event: AgentEvent) => void;
}

/** One line of output. Neither part ever holds a secret. */
export interface AgentEvent {
  /** A stable name, for programs. */
  readonly event: string;
  readonly text: string;
  readonly details?: Readonly<Record<string, string | number | null>>;
}

export interface AgentOptions {
  readonly loginFile: string;
  readonly folder: string;
  readonly accessFile: string;
  /** Base URL without a slash at its end; the server's own public one, since proofs name it. */
  readonly server: string;
  readonly keyType: KeyType;
  /** How a renewal proves the old key: in a header, or inside the request as the cloud agent's clients do it. */
  readonly proof: 'jws' | 'csr';
  readonly dnsNames: readonly string[];
}

/** Less than this a clock is set back by every good time service. */
const CLOCK_STEP_MS = 60_000;

/** The request got no answer: nobody knows whether it arrived. */
export class Unreachable extends Error {}

/** A login file and a state that belong to two identities. */
export class WrongIdentity extends Error {}

/** One agent at work: what it remembers, and the ways to the files and to the server. */
export class Session {
  readonly ports: AgentPorts;
  readonly options: AgentOptions;
  #state: AgentState;
  /** The access file's content as far as it is known; null before it was read. */
  #published: string | null = null;

  constructor(ports: AgentPorts, options: AgentOptions, state: AgentState) {
    this.ports = ports;
    this.options = options;
    this.#state = state;
  }

  get state(): AgentState {
    return this.#state;
  }

  /** The server's time, as far as it is known. */
  now(): Date {
    return new Date(this.ports.now().getTime() + this.#state.clockOffsetMs);
  }

  /**
   * Somebody has set this machine's clock back, so what was known of its error is void: the agent would believe it is long ago
   * and let the certificate end. The next check-in measures it anew.
   */
  async doubtClock(): Promise<void> {
    const now = this.ports.now();
    if (now.getTime() > Date.parse(this.#state.savedAt) - CLOCK_STEP_MS) return;
    await this.update({ clockOffsetMs: 0, checkInAt: now.toISOString() });
  }

  /** Changes what the agent remembers. It is on the disk when this returns. */
  async update(change: Partial<AgentState>): Promise<void> {
    const state = { ...this.#state, ...change, savedAt: this.ports.now().toISOString() };
    await saveState(this.ports.files, this.options.folder, state);
    this.#state = state;
  }

  /**
   * Sees to it that the access file holds what the agent has. It is written from the state alone, so that it can be lost,
   * damaged or half a step behind and comes right at the next run.
   */
  async publish(): Promise<void> {
    const { current, bundle, name } = this.#state;
    if (current === null || bundle === null) return;
    const { files } = this.ports;
    const text = accessFileText({ name, bundlePem: bundle.pem, ...current });
    this.#published ??= await files.read(this.options.accessFile);
    if (this.#published === text) return;
    await replaceFile(files, this.options.accessFile, text);
    this.#published = text;
  }

  /**
   * One request.
   * @throws Unreachable when there is no answer
   */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    try {
      return await this.ports.send(request);
    } catch (error) {
      throw new Unreachable(`No answer from ${this.options.server}: ${reasonOf(error)}`, { cause: error });
    }
  }

  /**
   * A POST of JSON, answered with JSON.
   * @param isProven true to prove the current certificate's key with it
   * @throws Unreachable, Refused, BadAnswer
   */
  async post(path: string, value: unknown, isProven: boolean): Promise<Record<string, unknown>> {
    const url = `${this.options.server}${path}`;
    const body = JSON.stringify(value);
    const { current } = this.#state;
    const proof =
      isProven && current !== null
        ? { 'x-everleaf-proof': requestProof({ ...current, method: 'POST', url, body, now: this.now() }) }
        : {};
    const headers = { 'content-type': 'application/json', ...proof };
    const answer = await this.send({ method: 'POST', url, headers, body });
    return answer.status === 204 ? {} : jsonOf(answer);
  }
}

/**
 * The login file.
 * @returns null, and says why, when there is none that can be used: an agent with a good certificate goes on without it
 */
export async function readLoginFile(
  { files, report }: Pick<AgentPorts, 'files' | 'report'>,
  path: string,
): Promise<LoginFile | null> {
  try {
    const text = await files.read(path);
    return text === null ? null : parseLoginFile(text);
  } catch (error) {
    if (!(error instanceof LoginFileError)) throw error;
    report({ event: 'login-file-unusable', text: `Cannot use the login file ${path}. ${error.message}` });
    return null;
  }
}

/** fetch says "fetch failed" and keeps the reason in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
