/**
 * `npm run soak:kill [-- <kills>]`: one environment that is killed again and again, at random moments of login storms
 * and renewals, by turns its functions host and its vaults. After each kill it is started again, and everything must
 * be as without the kill. Ends at the first thing that is not, with exit code 1.
 */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { checkFleet, readDelivered } from '../e2e/support/fleet.ts';
import { CLIENT_KEYS, OpensslAgent } from '../e2e/support/openssl-agent.ts';
import { serialNumbers } from '../e2e/support/serial-numbers.ts';
import type { LoginAnswer } from '../support/contract-shapes.ts';
import { LocalEnvironment } from '../support/local-environment.ts';
import { makeStateDirectory, removeStateDirectory } from '../support/local-run.ts';

const DEFAULT_KILLS = 50;
const VICTIMS = ['functions', 'vault'] as const;
/** About as long as a storm or a wave of renewals takes: a kill may come at its start, inside it or behind it. */
const STORM_MS = 600;
const RENEWALS_MS = 2_000;
/** Beyond the window of everything that was made before. */
const JUMP_DAYS = 50;
const DAY_MS = 86_400_000;
/** An authority that outlives the soak: fifty kills jump more than three virtual years. */
const SETTINGS = { AUTHORITY_VALIDITY_DAYS: '3650' };

/** Certificates of the authority: one for all the years. */
const AUTHORITIES = 1;

interface Outcome {
  readonly everleaf: LocalEnvironment;
  /** What the kill met, for the line of progress. */
  readonly met: string;
}

interface Soak {
  readonly stateDir: string;
  readonly openssl: OpensslAgent;
  /** Logins with keys of their own so far: each has had one serial number. */
  logins: number;
}

type Victim = (typeof VICTIMS)[number];

/** Eight clients log in at once; whoever got an answer gets the same one again, the others get theirs. */
async function stormOfLogins(soak: Soak, everleaf: LocalEnvironment, victim: Victim): Promise<Outcome> {
  const logins = (await readDelivered(everleaf)).map(({ identity: { name }, tokens }) => ({
    name,
    token: tokens.at(-1)?.value ?? '',
    csr: soak.openssl.keyAndRequest(CLIENT_KEYS['EC P-256'], { name }).csr,
  }));
  soak.logins += logins.length;
  const acknowledged = new Map<string, LoginAnswer>();
  const storm = Promise.allSettled(
    logins.map(async ({ token, csr }) => {
      const answer = await everleaf.login<LoginAnswer>({ token, csr });
      if (answer.status === 200) acknowledged.set(csr, answer.json);
    }),
  );
  await pause(Math.random() * STORM_MS);
  await everleaf.kill(victim);
  await storm;

  const again = await LocalEnvironment.start(soak.stateDir, SETTINGS);
  // An attempt without an end is taken over after 30 s; an answer is repeated for 10 min.
  await again.advance('PT31S', { settle: true });
  for (const { name, token, csr } of logins) {
    const answer = await again.login<LoginAnswer>({ token, csr });
    assert.equal(answer.status, 200, `${name}: ${answer.text}`);
    const before = acknowledged.get(csr);
    if (before !== undefined) assert.deepEqual(answer.json, before, `${name} had another answer before`);
  }
  return { everleaf: again, met: `${acknowledged.size} of ${logins.length} logins were answered` };
}

/** Everything falls due at once; whatever the kill met is finished by the next run. */
async function waveOfRenewals(soak: Soak, everleaf: LocalEnvironment, victim: Victim): Promise<Outcome> {
  const target = (await everleaf.now()).getTime() + JUMP_DAYS * DAY_MS;
  // The answer never comes when the host is killed before all is settled.
  const settling = everleaf.advance(`P${JUMP_DAYS}D`, { settle: true }).then(
    () => 'all was settled',
    () => 'renewals were under way',
  );
  await pause(Math.random() * RENEWALS_MS);
  await everleaf.kill(victim);
  const met = await settling;

  const again = await LocalEnvironment.start(soak.stateDir, SETTINGS);
  // The kill may have come before the jump; and what a dead worker was at comes back within two hours.
  const missing = Math.max(0, Math.ceil((target - (await again.now()).getTime()) / 1000));
  await again.advance(`PT${missing + 2 * 3600}S`, { settle: true });
  return { everleaf: again, met };
}

async function checkEverything(soak: Soak, everleaf: LocalEnvironment): Promise<void> {
  const delivered = await checkFleet(everleaf, soak.openssl);
  const versions = delivered.reduce((sum, { certificates }) => sum + certificates.length, 0);
  assert.equal(
    await serialNumbers(everleaf),
    AUTHORITIES + versions + soak.logins,
    'one serial number for each certificate that came of it, and no more',
  );
}

async function main(kills: number): Promise<void> {
  const soak: Soak = { stateDir: makeStateDirectory(), openssl: new OpensslAgent(), logins: 0 };
  let everleaf: LocalEnvironment | undefined;
  let done = 0;
  try {
    everleaf = await LocalEnvironment.start(soak.stateDir, SETTINGS);
    for (let n = 1; n <= kills; n++) {
      const act = n % 2 === 1 ? stormOfLogins : waveOfRenewals;
      // Each victim meets both kinds of work.
      const victim = VICTIMS[Math.floor((n - 1) / 2) % VICTIMS.length] ?? 'functions';
      const work = act === stormOfLogins ? 'logins' : 'renewals';
      const outcome: Outcome = await act(soak, everleaf, victim);
      everleaf = outcome.everleaf;
      await checkEverything(soak, everleaf);
      done = n;
      console.log(`${String(n).padStart(3)} of ${kills}  ${work} / ${victim}: ok, ${outcome.met}`);
    }
  } finally {
    console.log(`${done} of ${kills} kills held.`);
    await everleaf?.stop();
    await removeStateDirectory(soak.stateDir);
    soak.openssl.remove();
  }
}

const kills = Number(process.argv[2] ?? DEFAULT_KILLS);
if (!Number.isInteger(kills) || kills < 1) {
  console.error('Say how many kills, 1 or more: npm run soak:kill -- 10');
  process.exitCode = 2;
} else {
  await main(kills);
}
