import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Environment } from '../../infra/local/supervisor/environment-file.ts';
import type { Plan, Problem, Status } from './contract-shapes.ts';
import { undocumented } from './documented.ts';
import { LocalRun, type Role } from './local-run.ts';

export interface ApiRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A bearer token. */
  readonly token?: string;
  /** Sent as it is when it is text, else as JSON. */
  readonly body?: unknown;
}

export interface ApiAnswer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; undefined when it is not JSON. */
  readonly json: T;
}

/** The fields of a login file that a login needs (YAML, the cloud agent's own form). */
export interface LoginFile {
  readonly name: string;
  readonly token: string;
  /** Base64 of the PEM bundle. */
  readonly certificate: string;
}

/** A local environment that is ready, and what its users do with it. */
export class LocalEnvironment {
  readonly env: Environment;
  readonly run: LocalRun;
  readonly operatorToken: string;
  readonly readerToken: string;
  /** Opens both vaults: somebody with the portal open. */
  readonly personToken: string;

  private constructor(run: LocalRun) {
    this.run = run;
    const read = (path: string) => readFileSync(path, 'utf8');
    this.env = JSON.parse(read(join(run.stateDir, 'environment.json'))) as Environment;
    this.operatorToken = read(this.env.files.operatorToken);
    this.readerToken = read(this.env.files.readerToken);
    this.personToken = read(join(run.stateDir, 'person.token'));
  }

  /** Runs `npm start` on a state directory, on any free port, and waits for the ready line. */
  static async start(stateDir: string, settings?: Record<string, string>): Promise<LocalEnvironment> {
    return LocalEnvironment.ready(new LocalRun(stateDir, settings));
  }

  /** Waits for the ready line of a run that was started already. */
  static async ready(run: LocalRun): Promise<LocalEnvironment> {
    await run.line(/^Everleaf is ready at http/);
    return new LocalEnvironment(run);
  }

  /** One request to the app. @param path from `/api` on */
  async api<T = Problem>(path: string, request: ApiRequest = {}): Promise<ApiAnswer<T>> {
    const { method = 'GET', token, body } = request;
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...request.headers,
    };
    const response = await fetch(`${this.env.baseUrl}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const { status, headers: answered } = response;
    const json = parseJson(text);
    // What the host itself answers, before the app is reached, carries no correlation id.
    if (answered.has('x-correlation-id')) {
      const contentType = answered.get('content-type');
      const problem = undocumented({ method, path, status, contentType, json });
      if (problem !== null) throw new Error(`The OpenAPI document does not have this answer: ${problem}`);
    }
    return { status, headers: answered, text, json: json as T };
  }

  /** `POST /api/login` with this body. */
  login<T = Problem>(body: unknown, headers: Record<string, string> = {}): Promise<ApiAnswer<T>> {
    return this.api<T>('/api/login', { method: 'POST', body, headers });
  }

  /** The fleet as the reader sees it. */
  status(): Promise<Status> {
    return this.#read<Status>('/api/status?limit=500');
  }

  plan(): Promise<Plan> {
    return this.#read<Plan>('/api/plan?limit=500');
  }

  /** The login file of an identity of the management cluster, as the first start wrote it. */
  loginFile(name: string): LoginFile {
    const path = join(this.env.files.loginDir, 'management', `${name}.yaml`);
    return parse(readFileSync(path, 'utf8')) as LoginFile;
  }

  /** The virtual time. */
  async now(): Promise<Date> {
    return nowOf(await fetch(this.env.clock.url));
  }

  /**
   * Moves time forward.
   * @param duration ISO 8601, such as P50D
   * @param options settle: also wait until everything that is due by then is done
   */
  async advance(duration: string, options: { settle: boolean }): Promise<Date> {
    const body = JSON.stringify({ advance: duration, settle: options.settle });
    return nowOf(await fetch(this.env.clock.url, { method: 'POST', body }));
  }

  /** Waits until nothing is due or being worked on. */
  async settle(): Promise<Date> {
    return nowOf(await fetch(this.env.settleUrl, { method: 'POST' }));
  }

  /** Runs a timer by hand, as an operator does with the master key, and waits until its work is done. */
  async runTimer(name: string): Promise<void> {
    const response = await fetch(`${this.env.baseUrl}/admin/functions/${name}`, {
      method: 'POST',
      headers: { 'x-functions-key': this.env.masterKey, 'content-type': 'application/json' },
      body: '{}',
    });
    if (response.status !== 202) throw new Error(`Running ${name} was answered with ${response.status}.`);
    await this.settle();
  }

  /** @returns the exit code */
  stop(): Promise<number | string> {
    return this.run.stop();
  }

  /** @returns how the run ended after one of its processes was killed */
  kill(role: Role): Promise<number | string> {
    return this.run.kill(role);
  }

  async #read<T>(path: string): Promise<T> {
    const answer = await this.api<T>(path, { token: this.readerToken });
    if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function nowOf(response: Response): Promise<Date> {
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.url}: ${response.status} ${text}`);
  return new Date((JSON.parse(text) as { now: string }).now);
}
