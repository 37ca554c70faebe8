import { readFileSync } from 'node:fs';
import { management, requestOf } from '../support/agent.ts';
import { LocalEnvironment } from '../support/local-environment.ts';
import { LocalRun, makeStateDirectory, removeStateDirectory } from '../support/local-run.ts';
import { benchColdLogins } from './cold-login.ts';
import { type Report, rate } from './measure.ts';

/** What `npm start` says when each part begins. */
const PARTS = [
  ['storage', /^Starting storage/],
  ['identity provider', /^Starting the identity provider/],
  ['key vaults', /^Starting the key vaults/],
  ['authority and management cluster', /^Preparing the authority/],
  ['functions', /^Starting the functions/],
  ['ready', /^Everleaf is ready/],
] as const;
const CLIENTS = [
  'KVA',
  'KMS',
  'CloudOperator',
  'CSI',
  'CertManager',
  'CAPH',
  'CloudProvider',
  'NodeAgent',
  'Mocctl',
];
/** Eight clients in the vault, each with a certificate and a token. */
const RENEWALS = 16;

export interface LoginLoad {
  readonly concurrency: number;
  readonly times: number;
  readonly seconds: number;
}

/** A whole environment: how it starts, logs agents in, renews, and what memory the functions take. */
export async function benchLocal(report: Report, loads: readonly LoginLoad[]): Promise<void> {
  const stateDir = makeStateDirectory();
  try {
    const run = new LocalRun(stateDir, { ISSUANCES_PER_IDENTITY: '1000000' });
    await benchStart(report, run);
    const everleaf = await LocalEnvironment.ready(run);
    const memory = (when: string) =>
      report.add({
        ...{ part: 'memory', what: `functions host, ${when}`, figure: residentOf(everleaf), unit: 'MB' },
        ...{ ratio: null, note: 'resident' },
      });
    memory('after its start');
    // Before thousands of logins, which leave the other timers that fire with it more to do than the renewals are.
    await benchRenewals(report, everleaf);
    await benchColdLogins(report, everleaf);
    const logins = await benchLogins(report, everleaf, loads);
    memory(`after ${logins} logins`);
    await everleaf.stop();
  } finally {
    await removeStateDirectory(stateDir);
  }
}

async function benchStart(report: Report, run: LocalRun): Promise<void> {
  let previous = performance.now();
  let name = 'npm start itself';
  for (const [next, pattern] of PARTS) {
    await run.line(pattern);
    const now = performance.now();
    report.add({ part: 'start', what: name, figure: now - previous, unit: 'ms', ratio: null, note: '' });
    previous = now;
    name = next;
  }
}

/** Every login with a key of its own, as replicas send it: an equal one would get the certificate it got before. */
async function benchLogins(
  report: Report,
  everleaf: LocalEnvironment,
  loads: readonly LoginLoad[],
): Promise<number> {
  const tokens = CLIENTS.map((name) => everleaf.loginFile(name).token);
  let made = 0;
  let first = Number.NaN;
  for (const { concurrency, times, seconds } of loads) {
    const requests = Array.from({ length: times }, (_, i) => {
      const who = i % CLIENTS.length;
      const csr = requestOf(management(CLIENTS[who] ?? ''), `login ${concurrency} ${i}`);
      return { token: tokens[who], csr };
    });
    const statuses = new Map<number, number>();
    const measured = await rate(
      async (n) => {
        const { status } = await everleaf.login(requests[n]);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      },
      concurrency,
      { seconds, times },
    );
    made += statuses.get(200) ?? 0;
    if (Number.isNaN(first)) first = measured.perSecond;
    const answers = [...statuses].map(([status, count]) => `${count} x ${status}`).join(', ');
    report.add({
      ...{ part: 'login', what: `${concurrency} at once`, figure: measured.perSecond, unit: '/s' },
      ratio: measured.perSecond / first,
      note:
        `p50 ${measured.percentile(50).toFixed(0)} ms, p95 ${measured.percentile(95).toFixed(0)} ms, ` +
        `p99 ${measured.percentile(99).toFixed(0)} ms; ${answers}; nine identities; the ratio is to one at once`,
    });
  }
  return made;
}

async function benchRenewals(report: Report, everleaf: LocalEnvironment): Promise<void> {
  const count = async () =>
    (await everleaf.status()).identities.reduce((sum, one) => sum + (one.certificate?.renewCount ?? 0), 0);
  const before = await count();
  const begun = performance.now();
  // Past the renewal window's end of all, and far from the end of any.
  await everleaf.advance('P46D', { settle: true });
  const seconds = (performance.now() - begun) / 1000;
  report.add({
    ...{
      part: 'renew',
      what: 'certificates and tokens, scan to record',
      figure: RENEWALS / seconds,
      unit: '/s',
    },
    ...{
      ratio: null,
      note: `${(await count()) - before} certificates with RSA 2048 keys made by the stand-in, 8 tokens`,
    },
  });
}

/** Linux tells in pages of a file; where there is none, the figure is not a number. */
function residentOf(everleaf: LocalEnvironment): number {
  const pid = everleaf.env.processes.find(({ role }) => role === 'functions')?.pid;
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;
  } catch {
    return Number.NaN;
  }
}
