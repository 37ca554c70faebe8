/** An agent on a folder of its own, a server that keeps to the contract, and a clock that both go by. */
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FileSystem, realFiles } from '../../cli/agent/files.ts';
import type { Send } from '../../cli/agent/http.ts';
import { type Outcome, runOnce } from '../../cli/agent/run.ts';
import type { AgentEvent, AgentOptions, AgentPorts } from '../../cli/agent/session.ts';
import type { AgentState } from '../../cli/agent/state.ts';
import { FakeEverleaf } from './fake-everleaf.ts';
import { mulberry32 } from './seeded-random.ts';

export const DAY_MS = 86_400_000;

/** The agent waits for the disk after every file that it writes, which no test can tell from not waiting. */
const IN_MEMORY = writable('/dev/shm') ?? tmpdir();

function writable(folder: string): string | null {
  try {
    accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    return null;
  }
}

export class AgentWorld {
  readonly folder = mkdtempSync(join(IN_MEMORY, 'everleaf-agent-'));
  readonly events: AgentEvent[] = [];
  readonly options: AgentOptions;
  readonly #random = mulberry32(5);
  server!: FakeEverleaf;
  /** The server's time. */
  now = new Date('2026-11-21T12:00:00Z');
  /** How far the agent's clock is from it. */
  clockErrorMs = 0;

  private constructor(options: Partial<AgentOptions>) {
    this.options = {
      loginFile: join(this.folder, 'login.yaml'),
      folder: join(this.folder, 'state'),
      accessFile: join(this.folder, 'cloudconfig'),
      server: 'https://everleaf.test',
      keyType: 'ec-p256',
      proof: 'jws',
      dnsNames: [],
      ...options,
    };
  }

  static async make(options: Partial<AgentOptions> = {}): Promise<AgentWorld> {
    const world = new AgentWorld(options);
    world.server = await FakeEverleaf.make(() => world.now);
    world.putLoginFile();
    return world;
  }

  /** What an operator gives: a login file with the newest token, or another. */
  putLoginFile(token?: string): void {
    writeFileSync(this.options.loginFile, this.server.loginFile(token), { mode: 0o600 });
  }

  ports(changes: { files?: FileSystem; send?: Send } = {}): AgentPorts {
    return {
      files: realFiles,
      send: this.server.send,
      now: () => new Date(this.now.getTime() + this.clockErrorMs),
      random: () => this.#random(),
      report: (event) => this.events.push(event),
      ...changes,
    };
  }

  run(changes: { files?: FileSystem; send?: Send } = {}): Promise<Outcome> {
    return runOnce(this.ports(changes), this.options);
  }

  /** Runs day by day, as a timer of the machine would. */
  async live(days: number): Promise<void> {
    for (let day = 0; day < days; day++) {
      this.advance(1);
      await this.run();
    }
  }

  advance(days: number): void {
    this.now = new Date(this.now.getTime() + days * DAY_MS);
  }

  get state(): AgentState {
    return JSON.parse(readFileSync(join(this.options.folder, 'state.json'), 'utf8')) as AgentState;
  }

  /** The token in the login file. */
  get token(): string {
    return /^token: (\S+)$/m.exec(readFileSync(this.options.loginFile, 'utf8'))?.[1] ?? '';
  }

  eventNames(): string[] {
    return this.events.map(({ event }) => event);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
