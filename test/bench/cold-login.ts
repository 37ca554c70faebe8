import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { appEnvironment } from '../../infra/local/supervisor/app-environment.ts';
import type { EnvironmentConfig } from '../../infra/local/supervisor/environment-config.ts';
import { startHostProcess } from '../contract/functions-host/host-process.ts';
import { management, requestOf } from '../support/agent.ts';
import type { LocalEnvironment } from '../support/local-environment.ts';
import { Packaged } from '../support/packaged.ts';
import { median, type Report } from './measure.ts';

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));
const ROUNDS = 3;
const WARM_LOGINS = 20;
const CLIENT = 'KMS';

interface Start {
  /** From the start of the process to the first login's answer. */
  readonly cold: number;
  /** Of that, from when the host listens. */
  readonly first: number;
  readonly warm: number;
}

/**
 * A login at a host that has just been started, and one at a host that has served many; beside a running environment. The local
 * host and the app are one process here: what the host loads for itself, dist/ shares and the package cannot.
 */
export async function benchColdLogins(report: Report, everleaf: LocalEnvironment): Promise<void> {
  const packaged = new Packaged();
  try {
    const bundle: Start[] = [];
    const loose: Start[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      bundle.push(await startAndLogIn(everleaf, packaged.folder, `bundle ${round}`));
      loose.push(await startAndLogIn(everleaf, CHECKOUT, `loose ${round}`));
    }
    const row = (what: string, figure: keyof Start, note: string) => {
      const [of, against] = [bundle, loose].map((starts) => median(starts.map((start) => start[figure])));
      if (of === undefined || against === undefined) return;
      report.add({
        ...{ part: 'login', what, figure: of, unit: 'ms', ratio: of / against },
        note: `${note}; unbundled ${Math.round(against)} ms; median of ${ROUNDS}`,
      });
    };
    row(
      'cold: from the start of the process',
      'cold',
      'the package under the local host, which takes part of it',
    );
    row('cold: the first one, when the host listens', 'first', 'its tokens and connections are made');
    row('warm', 'warm', `the median of ${WARM_LOGINS} after it`);
  } finally {
    packaged.remove();
  }
}

async function startAndLogIn(everleaf: LocalEnvironment, appDir: string, owner: string): Promise<Start> {
  const { storageConnectionString } = everleaf.env;
  const begun = performance.now();
  const settings = settingsOf(everleaf);
  const host = startHostProcess({ appDir, hostId: 'bench-cold-login', storageConnectionString, settings });
  try {
    const { baseUrl } = await host.ready();
    const { token } = everleaf.loginFile(CLIENT);
    const csr = (n: number) => requestOf(management(CLIENT), `${owner} ${n}`);
    const ready = performance.now();
    await logIn(baseUrl, { token, csr: csr(0) });
    const served = performance.now();
    const warm: number[] = [];
    for (let n = 1; n <= WARM_LOGINS; n++) {
      const body = { token, csr: csr(n) };
      const from = performance.now();
      await logIn(baseUrl, body);
      warm.push(performance.now() - from);
    }
    return { cold: served - begun, first: served - ready, warm: median(warm) };
  } finally {
    await host.end('SIGKILL');
  }
}

async function logIn(baseUrl: string, body: unknown): Promise<void> {
  const response = await fetch(`${baseUrl}/api/login`, { method: 'POST', body: JSON.stringify(body) });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`A login was answered with ${response.status}: ${text}`);
}

/** What the environment's own host has for settings; the timers of this one never come to run. */
function settingsOf({ env }: LocalEnvironment): Record<string, string> {
  const path = join(env.stateDir, 'environment.config.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as EnvironmentConfig;
  const { blob, queue, table, issuer, authorityVault, clientVault } = env.endpoints;
  const surroundings = {
    config,
    baseUrl: env.baseUrl,
    storage: { connectionString: env.storageConnectionString, blob, queue, table },
    identity: { issuer, msiEndpoint: env.managedIdentity.endpoint },
    vaults: { authority: authorityVault, clients: clientVault },
    backupRecipient: '',
    faultsUrl: env.faults.url,
  };
  return appEnvironment(surroundings, { ISSUANCES_PER_IDENTITY: '1000000' }, {});
}
