/** The environment that the demo starts, and its HTTP side. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { FleetStatus } from './telling.ts';

const SUPERVISOR = fileURLToPath(new URL('../supervisor/main.ts', import.meta.url));

interface Found {
  readonly baseUrl: string;
  readonly files: { readonly operatorToken: string; readonly loginDir: string };
}

export class DemoEnvironment {
  readonly #stateDir: string;
  #process: ChildProcess | undefined;
  #found: Found | undefined;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
  }

  /** @throws Error when it ends before it is ready */
  async start(onLine: (line: string) => void): Promise<void> {
    const child = spawn(process.execPath, [SUPERVISOR], {
      env: { ...process.env, EVERLEAF_STATE_DIR: this.#stateDir, EVERLEAF_PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      // Ctrl-C is the demo's to handle: it stops the environment when it has done so.
      detached: true,
    });
    this.#process = child;
    if (child.stdout === null) throw new Error('The environment has no output.');
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.trim() !== '') onLine(line);
      if (line.startsWith('Everleaf is ready')) break;
    }
    child.stdout.resume();
    if (child.exitCode !== null) throw new Error('the environment ended before it was ready.');
    this.#found = JSON.parse(readFileSync(join(this.#stateDir, 'environment.json'), 'utf8')) as Found;
  }

  get loginDir(): string {
    return this.#ready.files.loginDir;
  }

  async text(path: string): Promise<string> {
    return (await this.#fetch(path, {})).text();
  }

  async post(path: string, body: unknown): Promise<Record<string, unknown>> {
    const headers = { 'content-type': 'application/json' };
    const response = await this.#fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await response.json()) as Record<string, unknown>;
  }

  async status(): Promise<FleetStatus> {
    const authorization = `Bearer ${readFileSync(this.#ready.files.operatorToken, 'utf8').trim()}`;
    return (await (await this.#fetch('/api/status', { headers: { authorization } })).json()) as FleetStatus;
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }

  get #ready(): Found {
    if (this.#found === undefined) throw new Error('the environment is not running.');
    return this.#found;
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const response = await fetch(`${this.#ready.baseUrl}${path}`, init);
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response;
  }
}
