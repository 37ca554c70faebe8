/** `everleaf agent` against the whole environment: a client that keeps its own key, through most of a year. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LocalEnvironment } from '../support/local-environment.ts';
import { makeStateDirectory, removeStateDirectory } from '../support/local-run.ts';
import { OpensslAgent } from './support/openssl-agent.ts';

const PROGRAM = fileURLToPath(new URL('../../cli/everleaf.mjs', import.meta.url));
const PRELOAD = new URL('../../infra/local/clock/preload.ts', import.meta.url).href;
/** As often as the agent's machine is up: less often than its check-in would have it. */
const STEP_DAYS = 20;

let stateDir: string;
let everleaf: LocalEnvironment;
let openssl: OpensslAgent;

before(async () => {
  stateDir = makeStateDirectory();
  openssl = new OpensslAgent();
  everleaf = await LocalEnvironment.start(stateDir);
});
after(async () => {
  await everleaf?.stop();
  await removeStateDirectory(stateDir);
  openssl.remove();
});

/** An agent on a machine of its own, which has nothing but a login file and the environment's time. */
class Machine {
  readonly folder: string;
  readonly args: readonly string[];
  readonly events: string[] = [];

  constructor(name: string, ...more: string[]) {
    this.folder = join(stateDir, `machine-${name}`);
    mkdirSync(this.folder);
    copyFileSync(join(everleaf.env.files.loginDir, 'management', `${name}.yaml`), this.loginFile);
    const { baseUrl } = everleaf.env;
    const options = ['--login-file', this.loginFile, '--dir', this.folder, '--server', baseUrl];
    this.args = ['agent', ...options, '--json', ...more];
  }

  get loginFile(): string {
    return join(this.folder, 'login.yaml');
  }

  get token(): string {
    return /^token: (\S+)$/m.exec(readFileSync(this.loginFile, 'utf8'))?.[1] ?? '';
  }

  /** One run with `--once`. @returns the exit code */
  async run(): Promise<number> {
    const child = spawn(process.execPath, ['--import', PRELOAD, PROGRAM, ...this.args], {
      env: { ...process.env, EVERLEAF_CLOCK_FILE: join(stateDir, 'clock.json') },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    const [code] = await once(child, 'close');
    for (const line of out.trimEnd().split('\n')) this.events.push(JSON.parse(line).event);
    return code;
  }

  /** What a client finds in the access file. */
  access(): { certificate: string; bundle: string } {
    const fields = JSON.parse(readFileSync(join(this.folder, 'cloudconfig'), 'utf8'));
    const text = (key: string) => Buffer.from(fields[key], 'base64').toString();
    const certificate = text('ClientCertificate');
    assert.ok(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(text('ClientKey'))));
    return { certificate, bundle: text('CloudCertificate') };
  }

  count(event: string): number {
    return this.events.filter((name) => name === event).length;
  }
}

describe('two agents on machines that are up every twentieth day', () => {
  it('stay alive through 300 days, with good certificates at every moment and no help', async () => {
    const machines = [
      new Machine('NodeAgent'),
      new Machine('Mocctl', '--proof', 'csr', '--key-type', 'ec-p256'),
    ];
    const first = machines.map(({ token }) => token);
    const seen = new Set<string>();
    for (let day = 0; day <= 300; day += STEP_DAYS) {
      const at =
        day === 0 ? await everleaf.now() : await everleaf.advance(`P${STEP_DAYS}D`, { settle: true });
      const codes = await Promise.all(machines.map((machine) => machine.run()));
      for (const [i, machine] of machines.entries()) {
        assert.equal(codes[i], 0, `day ${day}: ${machine.events.slice(-5)}`);
        const { certificate, bundle } = machine.access();
        openssl.verify(certificate, bundle, { at, purpose: 'sslclient' });
        seen.add(new X509Certificate(certificate).serialNumber);
      }
    }
    for (const [i, machine] of machines.entries()) {
      assert.equal(machine.count('logged-in'), 1);
      assert.ok(machine.count('renewed') >= 4, `${machine.count('renewed')} renewals`);
      assert.ok(machine.count('token-rotated') >= 4, `${machine.count('token-rotated')} rotations`);
      assert.ok(machine.count('checked-in') >= 15);
      assert.equal(machine.count('failed'), 0);
      assert.notEqual(machine.token, first[i]);
    }
    assert.equal(
      seen.size,
      machines.reduce((sum, machine) => sum + 1 + machine.count('renewed'), 0),
    );
    const { identities } = await everleaf.status();
    const states = identities.filter(({ delivery }) => delivery === 'agent').map(({ state }) => state);
    assert.deepEqual(states, ['Healthy', 'Healthy']);
  });
});
