import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { realFiles } from './agent/files.ts';
import { sendByFetch, serverUrl } from './agent/http.ts';
import { KEY_TYPES, type KeyType } from './agent/keys.ts';
import { lockFolder } from './agent/lock.ts';
import { runLoop, runOnce } from './agent/run.ts';
import { type AgentEvent, type AgentOptions, type AgentPorts, readLoginFile } from './agent/session.ts';
import { UsageError } from './usage.ts';

const EXIT_CODES = { done: 0, failed: 1, blocked: 3 } as const;

/**
 * `everleaf agent`.
 * @returns the exit code
 * @throws UsageError, Locked, StateError, WrongIdentity, and what the disk says
 */
export async function agentCommand(args: readonly string[]): Promise<number> {
  const values = parsedArgs(args);
  const ports: AgentPorts = {
    files: realFiles,
    send: sendByFetch,
    now: () => new Date(),
    random: Math.random,
    report: values.json ? reportAsJson : reportAsText,
  };
  const options = await optionsOf(values, ports);
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const unlock = await lockFolder(options.folder);
  try {
    if (!values.loop) return EXIT_CODES[(await runOnce(ports, options)).result];
    await loopUntilSignal(ports, options);
    return 0;
  } finally {
    unlock();
  }
}

/** A signal ends the loop between two acts; what is under way is finished first, and could also be killed. */
async function loopUntilSignal(ports: AgentPorts, options: AgentOptions): Promise<void> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    await runLoop(ports, options, {
      isStopped: () => stop.signal.aborted,
      pause: (milliseconds) => sleep(milliseconds, undefined, { signal: stop.signal }).catch(() => {}),
    });
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

function parsedArgs(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        'login-file': { type: 'string' },
        dir: { type: 'string' },
        server: { type: 'string' },
        'access-file': { type: 'string' },
        'key-type': { type: 'string', default: 'rsa-2048' },
        proof: { type: 'string', default: 'jws' },
        dns: { type: 'string', multiple: true, default: [] },
        once: { type: 'boolean', default: false },
        loop: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function optionsOf(values: ReturnType<typeof parsedArgs>, ports: AgentPorts): Promise<AgentOptions> {
  const { dir, proof, dns } = values;
  const loginFile = values['login-file'];
  const keyType = values['key-type'];
  if (loginFile === undefined || dir === undefined) throw new UsageError('Give --login-file and --dir.');
  if (values.once && values.loop) throw new UsageError('--once and --loop exclude each other.');
  if (!isKeyType(keyType)) throw new UsageError(`--key-type is ${KEY_TYPES.join(' or ')}.`);
  if (proof !== 'jws' && proof !== 'csr') throw new UsageError('--proof is jws or csr.');
  if (!dns.every((name) => /^[\x21-\x7e]{1,253}$/.test(name))) {
    throw new UsageError('--dns is a DNS name in ASCII.');
  }
  const path = targetOf(loginFile);
  const folder = resolve(dir);
  return {
    loginFile: path,
    folder,
    accessFile: targetOf(values['access-file'] ?? join(folder, 'cloudconfig')),
    server: await serverOf(values.server, path, ports),
    keyType,
    proof,
    dnsNames: dns,
  };
}

async function serverOf(option: string | undefined, loginFile: string, ports: AgentPorts): Promise<string> {
  const url = option ?? (await readLoginFile(ports, loginFile))?.server ?? null;
  if (url === null) throw new UsageError(`Give --server: ${loginFile} names no host.`);
  try {
    return serverUrl(url);
  } catch (error) {
    throw new UsageError(`Cannot use ${url} as server. ${error instanceof Error ? error.message : ''}`);
  }
}

/** Where a link leads: a rename would put a file in the link's place. */
function targetOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : resolve(path);
}

function isKeyType(text: string): text is KeyType {
  return (KEY_TYPES as readonly string[]).includes(text);
}

function reportAsText({ text }: AgentEvent): void {
  console.log(`${new Date().toISOString()} ${text}`);
}

function reportAsJson({ event, text, details }: AgentEvent): void {
  console.log(JSON.stringify({ time: new Date().toISOString(), event, text, ...details }));
}
