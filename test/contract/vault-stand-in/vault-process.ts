import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { VaultProcessConfig } from '../../../infra/local/vault/config.ts';
import { type Clients, clientsFor, configFor } from './harness.ts';
import { AUDIENCE, type TokenIssuer } from './token-issuer.ts';

/** The vault as the local environment starts it: a process of its own, with IPC and the shifted clock. */
export interface VaultProcess {
  readonly clients: Clients;
  /** Empty when the configuration has no port for it. */
  readonly controlUrl: string;
  /** Resolves when the process has ended, with the signal that ended it. */
  readonly exited: Promise<NodeJS.Signals | null>;
  kill(): Promise<void>;
  isKilled(): boolean;
}

const fromHere = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Starts the process; it is gone when the test has ended. */
export async function startProcess(
  test: { after(fn: () => Promise<void>): void },
  stateDir: string,
  issuer: TokenIssuer,
  config: Partial<VaultProcessConfig> = {},
): Promise<VaultProcess> {
  const child: ChildProcess = fork(fromHere('../../../infra/local/vault/main.ts'), {
    execArgv: ['--import', fromHere('../../../infra/local/clock/preload.ts')],
    env: {
      ...process.env,
      EVERLEAF_PROCESS_CONFIG: JSON.stringify(
        configFor(stateDir, { issuer: { url: issuer.url }, audience: AUDIENCE, ...config }),
      ),
    },
  });
  const exited = once(child, 'exit').then(([, signal]) => signal as NodeJS.Signals | null);
  let killed = false;
  const kill = async () => {
    killed = true;
    child.kill('SIGKILL');
    await exited;
  };
  test.after(kill);
  const [message] = (await once(child, 'message')) as [
    { type: string; message?: string; info?: { vaults: Record<string, string>; faultsUrl?: string } },
  ];
  assert.equal(message.type, 'ready', message.message);
  const clients = clientsFor(message.info?.vaults['clients'] ?? '', await issuer.token('tester'));
  return { clients, controlUrl: message.info?.faultsUrl ?? '', exited, kill, isKilled: () => killed };
}
