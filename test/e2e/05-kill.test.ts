import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { IdentityStatus, LoginAnswer } from '../support/contract-shapes.ts';
import { LocalEnvironment } from '../support/local-environment.ts';
import {
  LocalRun,
  makeStateDirectory,
  type Role,
  removeStateDirectory,
  until,
} from '../support/local-run.ts';
import { checkFleet, fleetSnapshot, isDelivered } from './support/fleet.ts';
import { CLIENT_KEYS, OpensslAgent } from './support/openssl-agent.ts';
import { serialNumbers } from './support/serial-numbers.ts';

/** When a kill comes: as soon as a line says this, or what a later one of the list says. */
const MOMENTS: readonly { says: string; kill: Role | 'group' }[] = [
  { says: 'Made the rotation key', kill: 'group' },
  { says: 'Making the key of authority', kill: 'vault' },
  { says: 'is active', kill: 'first-start' },
  { says: 'Created identity management/CSI', kill: 'supervisor' },
  { says: 'KVA has token', kill: 'vault' },
  { says: 'KMS has token', kill: 'group' },
  { says: 'Starting the functions', kill: 'functions' },
];

/** Keys with which each identity logs in at once. */
const LOGINS_EACH = 2;

let stateDir: string;
let everleaf: LocalEnvironment;
let openssl: OpensslAgent;

before(() => {
  stateDir = makeStateDirectory();
  openssl = new OpensslAgent();
});
after(async () => {
  await everleaf?.stop();
  await removeStateDirectory(stateDir);
  openssl.remove();
});

describe('a first start', () => {
  for (const [index, { says, kill }] of MOMENTS.entries()) {
    it(`can be killed (${kill}) when it says "${says}"`, async () => {
      const run = new LocalRun(stateDir);
      // What an earlier try has done already is not done, nor said, again.
      const later = MOMENTS.slice(index).map((moment) => moment.says);
      await run.line(new RegExp(later.join('|')));
      assert.notEqual(await killed(run, kill), 0);
      assert.equal(
        run.lines.some((line) => line.startsWith('Everleaf is ready')),
        false,
      );
    });
  }

  it('is repaired by the next one, and nothing is there twice', async () => {
    everleaf = await LocalEnvironment.start(stateDir);
    const delivered = await checkFleet(everleaf, openssl);
    for (const { identity, certificates, tokens } of delivered) {
      assert.equal(certificates.length, 1, identity.name);
      assert.equal(new Set(tokens.map(({ value }) => value)).size, 1, identity.name);
      assert.equal(everleaf.loginFile(identity.name).token, tokens[0]?.value, identity.name);
    }
    assert.equal(await serialNumbers(everleaf), 9, 'one for the authority and one for each client');
  });
});

describe('a stop and a start', () => {
  it('leaves everything as it is, the time included', async () => {
    await everleaf.advance('P3DT4H', { settle: true });
    const before = await fleetSnapshot(everleaf);
    const earlier = await everleaf.now();
    assert.equal(await everleaf.stop(), 0);
    everleaf = await LocalEnvironment.start(stateDir);
    assert.deepEqual(await fleetSnapshot(everleaf), before);
    assert.ok((await everleaf.now()) >= earlier);
    assert.equal(everleaf.env.clock.offsetSeconds, (3 * 24 + 4) * 3600);
  });
});

describe('SIGKILL in a storm of logins', () => {
  for (const [index, victim] of (['functions', 'group'] as const).entries()) {
    it(`of the ${named(victim)} forgets no login that was answered, and wastes no serial number`, async () => {
      const logins = await makeLogins();
      const acknowledged = new Map<string, LoginAnswer>();
      let midst: () => void = () => undefined;
      const inTheMidst = new Promise<void>((resolve) => {
        midst = resolve;
      });
      const storm = Promise.allSettled(
        logins.map(async ({ token, csr }) => {
          const answer = await everleaf.login<LoginAnswer>({ token, csr });
          if (answer.status === 200) acknowledged.set(csr, answer.json);
          if (acknowledged.size === 3) midst();
        }),
      );
      await Promise.race([inTheMidst, storm]);
      assert.notEqual(await killed(everleaf.run, victim), 0);
      await storm;
      assert.ok(acknowledged.size >= 3);

      everleaf = await LocalEnvironment.start(stateDir);
      // An attempt without an end is taken over after 30 s; an answer is repeated for 10 min.
      await everleaf.advance('PT31S', { settle: true });
      const answers = new Map<string, LoginAnswer>();
      for (const { token, csr, name } of logins) {
        const answer = await everleaf.login<LoginAnswer>({ token, csr });
        assert.equal(answer.status, 200, `${name}: ${answer.text}`);
        answers.set(csr, answer.json);
      }
      for (const [csr, answer] of acknowledged) assert.deepEqual(answers.get(csr), answer);
      assert.equal(
        await serialNumbers(everleaf),
        9 + (index + 1) * logins.length,
        'one for each login and no more',
      );
      for (const { name, instances, delivery } of (await everleaf.status()).identities) {
        if (delivery === 'agent') assert.equal(instances.live, (index + 1) * LOGINS_EACH, name);
      }
    });
  }
});

describe('SIGKILL in the middle of renewals', () => {
  for (const [index, victim] of (['functions', 'vault', 'group'] as const).entries()) {
    it(`of the ${named(victim)} costs no certificate, and none is made twice`, async () => {
      const given = await serialNumbers(everleaf);
      // The answer never comes: the host is killed before all is settled.
      const settling = everleaf.advance('P50D', { settle: true }).catch(() => undefined);
      await until('the first of the renewals', async () => {
        const { identities } = await everleaf.status();
        return identities.some((identity) => renewals(identity) === index + 1) ? true : undefined;
      });
      assert.notEqual(await killed(everleaf.run, victim), 0);
      await settling;

      everleaf = await LocalEnvironment.start(stateDir);
      // What a dead worker was at comes back when its message, or the due row behind it, shows again.
      await everleaf.advance('PT2H', { settle: true });
      const delivered = await checkFleet(everleaf, openssl);
      for (const { identity, certificates, tokens } of delivered) {
        assert.equal(certificates.length, index + 2, identity.name);
        assert.equal(new Set(tokens.map(({ value }) => value)).size, index + 2, identity.name);
      }
      assert.equal(await serialNumbers(everleaf), given + delivered.length, 'what was begun was finished');
    });
  }
});

function named(victim: Role | 'group'): string {
  return victim === 'group' ? 'whole process group' : `${victim} process`;
}

/** @returns how the run ended */
function killed(run: LocalRun, victim: Role | 'group'): Promise<number | string> {
  return victim === 'group' ? run.killGroup() : run.kill(victim);
}

/** Logins of every identity with keys of their own. */
async function makeLogins(): Promise<{ name: string; token: string; csr: string }[]> {
  const { identities } = await everleaf.status();
  return identities.flatMap(({ name }) => {
    const { token } = everleaf.loginFile(name);
    return Array.from({ length: LOGINS_EACH }, () => {
      const { csr } = openssl.keyAndRequest(CLIENT_KEYS['EC P-256'], { name });
      return { name, token, csr };
    });
  });
}

function renewals(identity: IdentityStatus): number {
  return isDelivered(identity) ? (identity.certificate?.renewCount ?? 0) : 0;
}
