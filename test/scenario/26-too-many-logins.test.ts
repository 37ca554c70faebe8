/** Limits: refused tokens by source, certificates by identity, on every instance of the app and after a restart. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AuditEvent, FLEET_CHAIN } from '../../shared/domain/audit.ts';
import { crc32, fromBase64Url, toBase64Url } from '../../shared/domain/encoding.ts';
import { isEverleafError } from '../../shared/domain/errors.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../shared/domain/instants.ts';
import { RECORD_SHARDS, shardOf } from '../../shared/domain/sharding.ts';
import { SourceBuckets } from '../../shared/domain/source-buckets.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { logInWithToken } from '../../shared/use-cases/log-in-with-token.ts';
import type { LoginAnswer } from '../../shared/use-cases/login-answer.ts';
import { reconcile } from '../../shared/use-cases/reconcile.ts';
import { updateIdentity } from '../../shared/use-cases/update-identity.ts';
import {
  identityOf,
  KMS,
  NODE_AGENT,
  requestOf,
  tokenFromLoginFile,
  tokenFromVault,
} from '../support/agent.ts';
import { refuseCalls } from '../support/faults.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import { interleave } from '../support/interleaving.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';

const ATTACKER = '198.51.100.7';
const NEIGHBOUR = '198.51.100.8';
const LIMIT = 5;

async function startedWorld(policy: { issuancesPerIdentity?: number } = {}): Promise<World> {
  const world = memoryWorld({ loginFailuresPerSource: LIMIT, ...policy });
  await firstStart(world.deps, world.run);
  return world;
}

/** A login from an address, as the HTTP layer hands it on. */
function logInFrom(
  world: World,
  source: string | null,
  token: string,
  csr: string | null = null,
  deps: Deps = world.deps,
): Promise<LoginAnswer> {
  const run = { ...world.run, actor: { kind: 'anonymous', id: null, source } as const };
  return logInWithToken(deps, run, { token, csr });
}

/** What a login was answered: `ok`, or the code of its error. */
async function outcome(login: Promise<LoginAnswer>): Promise<string> {
  try {
    await login;
    return 'ok';
  } catch (error) {
    if (isEverleafError(error)) return error.code;
    throw error;
  }
}

async function fail(world: World, source: string | null, times = 1, deps: Deps = world.deps): Promise<void> {
  for (let i = 0; i < times; i++) {
    assert.equal(await outcome(logInFrom(world, source, 'let me in', null, deps)), 'InvalidToken');
  }
}

/** Another instance of the app, or this one after a restart: the same record, and a memory of its own. */
const anotherInstance = (world: World): Deps => ({ ...world.deps, sources: new SourceBuckets() });

/** The token with a bit of a byte changed, under a checksum that is right again. */
function altered(token: string, position: number): string {
  const bytes = fromBase64Url(token.slice('elt1_'.length));
  assert.ok(bytes !== null);
  bytes[position] = (bytes[position] ?? 0) ^ 1;
  new DataView(bytes.buffer).setUint32(48, crc32(bytes.subarray(0, 48)));
  return `elt1_${toBase64Url(bytes)}`;
}

async function deniedEvents(world: World, chain: string = FLEET_CHAIN): Promise<AuditEvent[]> {
  const partition = String(shardOf(chain, RECORD_SHARDS)).padStart(2, '0');
  const rows = await world.tables.record.range(partition, 'o|', 'o}', Number.POSITIVE_INFINITY);
  return rows.map(({ data }): AuditEvent => JSON.parse(data)).filter(({ type }) => type === 'login-denied');
}

const counted = (events: readonly AuditEvent[]) =>
  Object.fromEntries(events.map(({ reason, count }) => [reason, count]));

describe('16 a source whose tokens are refused too often', () => {
  test('is turned away before its token is looked at, genuine or not, until the minute is over', async () => {
    const world = await startedWorld();
    const genuine = tokenFromVault(world, KMS);
    world.clock.advance(20 * SECOND_MS);
    await fail(world, ATTACKER, LIMIT);
    const { deps, calls } = recordCalls(world.deps);
    for (const token of ['let me in', genuine]) {
      await assert.rejects(logInFrom(world, ATTACKER, token, null, deps), {
        code: 'TooManyRequests',
        retryable: true,
        retryAfterSeconds: 40,
      });
    }
    assert.deepEqual(
      calls.filter((call) => call !== 'identities.countEvent'),
      [],
    );
    world.clock.advance(40 * SECOND_MS);
    assert.equal(await outcome(logInFrom(world, ATTACKER, genuine)), 'ok');
  });

  test('costs nobody else anything: the identity it aimed at logs in from another address', async () => {
    const world = await startedWorld();
    const genuine = tokenFromVault(world, KMS);
    for (let i = 0; i < LIMIT; i++) {
      assert.equal(await outcome(logInFrom(world, ATTACKER, altered(genuine, 20))), 'InvalidToken');
    }
    assert.equal(await outcome(logInFrom(world, ATTACKER, genuine)), 'TooManyRequests');
    assert.equal(await outcome(logInFrom(world, NEIGHBOUR, genuine)), 'ok');
    assert.equal(await outcome(logInFrom(world, null, genuine)), 'ok');
  });

  test('is one source however it chooses the lower half of its IPv6 address', async () => {
    const world = await startedWorld();
    for (let i = 0; i < LIMIT; i++) await fail(world, `2001:db8:0:1:0:0:0:${i}`);
    const answer = (source: string) => outcome(logInFrom(world, source, 'let me in'));
    assert.equal(await answer('2001:db8:0:1:ffff:0:0:1'), 'TooManyRequests');
    assert.equal(await answer('2001:db8:0:2:0:0:0:1'), 'InvalidToken');
  });

  test('is everybody of whom the front end did not say where they come from', async () => {
    const world = await startedWorld();
    await fail(world, null, LIMIT);
    assert.equal(await outcome(logInFrom(world, null, 'let me in')), 'TooManyRequests');
    await fail(world, ATTACKER);
  });

  test('is not unblocked by a success in between', async () => {
    const world = await startedWorld();
    const genuine = tokenFromVault(world, KMS);
    await fail(world, ATTACKER, LIMIT - 1);
    assert.equal(await outcome(logInFrom(world, ATTACKER, genuine)), 'ok');
    await fail(world, ATTACKER);
    assert.equal(await outcome(logInFrom(world, ATTACKER, genuine)), 'TooManyRequests');
  });

  test('shares its limit among all instances', async () => {
    const world = await startedWorld();
    const [one, two] = [anotherInstance(world), anotherInstance(world)];
    await fail(world, ATTACKER, 2, one);
    await fail(world, ATTACKER, 2, two);
    await fail(world, ATTACKER, 1, one);
    for (const deps of [one, anotherInstance(world)]) {
      assert.equal(await outcome(logInFrom(world, ATTACKER, 'let me in', null, deps)), 'TooManyRequests');
    }
    // An instance that has looked in this minute learns of the others' with its own next failure, and no later.
    await fail(world, ATTACKER, 1, two);
    assert.equal(await outcome(logInFrom(world, ATTACKER, 'let me in', null, two)), 'TooManyRequests');
  });

  test('stays blocked after a restart', async () => {
    const world = await startedWorld();
    await fail(world, ATTACKER, LIMIT);
    const restarted = anotherInstance(world);
    const genuine = tokenFromVault(world, KMS);
    assert.equal(await outcome(logInFrom(world, ATTACKER, genuine, null, restarted)), 'TooManyRequests');
  });

  test('does not get more answers by asking all at once', async () => {
    const world = await startedWorld();
    for (const seed of [1, 2, 3]) {
      world.clock.advance(MINUTE_MS);
      const call = async (deps: Deps) => outcome(logInFrom(world, ATTACKER, 'let me in', null, deps));
      const settled = await interleave(world.deps, seed, new Array(20).fill(call));
      const answers = settled.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)));
      assert.equal(answers.filter((answer) => answer === 'InvalidToken').length, LIMIT);
      assert.equal(answers.filter((answer) => answer === 'TooManyRequests').length, 20 - LIMIT);
    }
  });

  test('makes nobody write more than a few rows, however often it comes', async () => {
    const world = await startedWorld();
    await fail(world, ATTACKER, LIMIT);
    const { deps, calls } = recordCalls(world.deps);
    for (let i = 0; i < 1000; i++) {
      assert.equal(await outcome(logInFrom(world, ATTACKER, 'let me in', null, deps)), 'TooManyRequests');
    }
    assert.equal(calls.length, 10);
    const { 'too-many-failures': turnedAway } = counted(await deniedEvents(world));
    assert.equal(turnedAway, 512);
    assert.equal(world.lines.filter((line) => line.includes('Turns logins away')).length, 10);
  });

  test('is not one that sends bad requests with a genuine token', async () => {
    const world = await startedWorld();
    const token = await tokenFromLoginFile(world, NODE_AGENT);
    for (let i = 0; i < 2 * LIMIT; i++) {
      assert.equal(await outcome(logInFrom(world, ATTACKER, token, '')), 'InvalidCertificateRequest');
      assert.equal(await outcome(logInFrom(world, ATTACKER, token, null)), 'InvalidInput');
    }
    assert.equal(await outcome(logInFrom(world, ATTACKER, token, requestOf(NODE_AGENT, 'node'))), 'ok');
    assert.deepEqual(await deniedEvents(world), []);
  });
});

describe('16 refusing a token', () => {
  const COUNTED = ['counters.add', 'identities.countEvent'];

  test('makes the same calls for whatever is wrong with it, and one read more where the secret is genuine', async () => {
    const world = await startedWorld();
    const genuine = tokenFromVault(world, KMS);
    const callsOf = async (token: string, code: string) => {
      const { deps, calls } = recordCalls(anotherInstance(world));
      assert.equal(await outcome(logInFrom(world, NEIGHBOUR, token, null, deps)), code);
      world.clock.advance(MINUTE_MS);
      return calls;
    };
    const checksum = `${genuine.slice(0, 40)}${genuine[40] === 'A' ? 'B' : 'A'}${genuine.slice(41)}`;
    for (const token of ['malformed', checksum, altered(genuine, 5), altered(genuine, 20)]) {
      const expected = ['counters.count', 'identities.token', ...COUNTED];
      assert.deepEqual(await callsOf(token, 'InvalidToken'), expected);
    }
    const reasons = (await deniedEvents(world)).map(({ reason }) => reason);
    assert.deepEqual(reasons, ['malformed', 'checksum', 'unknown-id', 'wrong-secret']);
    const genuineCalls = ['counters.count', 'identities.token', 'identities.identity', ...COUNTED];
    const revoke = (revokedAt: Date | null) =>
      updateIdentity(world.deps, KMS, (identity) => ({ identity: { ...identity, revokedAt }, changes: [] }));
    await revoke(world.clock.now());
    assert.deepEqual(await callsOf(genuine, 'Revoked'), genuineCalls);
    await revoke(null);
    world.clock.advance(91 * 24 * HOUR_MS);
    assert.deepEqual(await callsOf(genuine, 'Expired'), genuineCalls);
  });

  test('is one counted event for each source, minute and reason, with neither token nor secret in it', async () => {
    const world = await startedWorld();
    await fail(world, ATTACKER, 3);
    await fail(world, NEIGHBOUR);
    await logInFrom(world, ATTACKER, altered(tokenFromVault(world, KMS), 20)).catch(() => {});
    world.clock.advance(MINUTE_MS);
    await fail(world, ATTACKER, 2);
    const events = await deniedEvents(world);
    assert.deepEqual(
      events.map(({ time, reason, actor, count }) => [time, reason, actor.source, count]).sort(),
      [
        ['2026-11-21T08:00:59.999Z', 'malformed', ATTACKER, 3],
        ['2026-11-21T08:00:59.999Z', 'malformed', NEIGHBOUR, 1],
        ['2026-11-21T08:00:59.999Z', 'wrong-secret', ATTACKER, 1],
        ['2026-11-21T08:01:59.999Z', 'malformed', ATTACKER, 2],
      ],
    );
    assert.ok(events.every(({ outcome: how, actor }) => how === 'denied' && actor.kind === 'anonymous'));
    assert.doesNotMatch(JSON.stringify(events), /let me in|elt1_/);
  });

  test('names the identity in its own chain where the secret was genuine', async () => {
    const world = await startedWorld();
    const token = tokenFromVault(world, KMS);
    world.clock.advance(91 * 24 * HOUR_MS);
    for (let i = 0; i < 2; i++) {
      assert.equal(await outcome(logInFrom(world, ATTACKER, token)), 'Expired');
    }
    const [event, ...others] = await deniedEvents(world, 'management');
    assert.deepEqual(others, []);
    assert.deepEqual([event?.target.name, event?.reason, event?.count], ['KMS', 'token-expired', 2]);
  });

  test('goes on with the instance’s own count while counts and events cannot be written', async () => {
    const world = await startedWorld();
    const broken = refuseCalls(
      world.deps,
      ({ port, method }) => port === 'counters' || method === 'countEvent',
    );
    await fail(world, ATTACKER, LIMIT, broken);
    const genuine = tokenFromVault(world, KMS);
    assert.equal(await outcome(logInFrom(world, ATTACKER, genuine, null, broken)), 'TooManyRequests');
    assert.equal(await outcome(logInFrom(world, NEIGHBOUR, genuine, null, broken)), 'ok');
    assert.ok(world.lines.some((line) => line.includes('Could not count a refused login for all instances')));
  });

  test('leaves no rows behind for ever: reconcile removes the counts of minutes that are over', async () => {
    const world = await startedWorld();
    await fail(world, ATTACKER);
    world.clock.advance(HOUR_MS);
    await fail(world, ATTACKER);
    const rows = async () => {
      const found = [...'0123456789abcdef'].map((digit) => world.tables.counters.range(digit, '0', '9', 10));
      return (await Promise.all(found)).flat().length;
    };
    assert.equal(await rows(), 2);
    assert.deepEqual((await reconcile(world.deps, world.run))?.failed, 0);
    assert.equal(await rows(), 1);
  });
});

describe('16 an identity that asks for certificates without end', () => {
  const keyOf = (n: number) => requestOf(NODE_AGENT, `replica ${n}`);

  test('gets as many as the limit within the hour, then 429 until the hour has passed', async () => {
    const world = await startedWorld({ issuancesPerIdentity: 3 });
    const token = await tokenFromLoginFile(world, NODE_AGENT);
    const first = await logInFrom(world, NEIGHBOUR, token, keyOf(0));
    world.clock.advance(20 * MINUTE_MS);
    for (const n of [1, 2]) assert.equal(await outcome(logInFrom(world, NEIGHBOUR, token, keyOf(n))), 'ok');
    const { deps, calls } = recordCalls(world.deps);
    await assert.rejects(logInFrom(world, NEIGHBOUR, token, keyOf(3), deps), {
      code: 'TooManyRequests',
      retryable: true,
      retryAfterSeconds: 2400,
    });
    assert.deepEqual(
      calls.filter((call) => /commit|claim|sign/.test(call)),
      [],
      'nothing was claimed, signed or written',
    );
    assert.equal((await identityOf(world, NODE_AGENT)).issuances?.count, 3);
    world.clock.advance(40 * MINUTE_MS);
    const later = await logInFrom(world, NEIGHBOUR, token, keyOf(3));
    assert.notEqual(later.serialNumber, first.serialNumber);
    assert.equal((await identityOf(world, NODE_AGENT)).issuances?.count, 1);
  });

  test('gets an answer repeated beyond the limit: it issues nothing and does not count', async () => {
    const world = await startedWorld({ issuancesPerIdentity: 1 });
    const token = await tokenFromLoginFile(world, NODE_AGENT);
    const first = await logInFrom(world, NEIGHBOUR, token, keyOf(0));
    for (let i = 0; i < 3; i++) {
      assert.equal((await logInFrom(world, NEIGHBOUR, token, keyOf(0))).serialNumber, first.serialNumber);
    }
    assert.equal((await identityOf(world, NODE_AGENT)).issuances?.count, 1);
    world.clock.advance(11 * MINUTE_MS);
    assert.equal(await outcome(logInFrom(world, NEIGHBOUR, token, keyOf(0))), 'TooManyRequests');
  });

  test('does not get past the limit by asking with many keys at once', async () => {
    for (const seed of [1, 2, 3, 4]) {
      const world = await startedWorld({ issuancesPerIdentity: 2 });
      const token = await tokenFromLoginFile(world, NODE_AGENT);
      const callers = [0, 1, 2, 3, 4].map(
        (n) => (deps: Deps) => outcome(logInFrom(world, NEIGHBOUR, token, keyOf(n), deps)),
      );
      const settled = await interleave(world.deps, seed, callers);
      const answers = settled.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)));
      assert.deepEqual(answers.sort(), ['TooManyRequests', 'TooManyRequests', 'TooManyRequests', 'ok', 'ok']);
      assert.equal((await world.deps.identities.instances(NODE_AGENT)).length, 2);
    }
  });

  test('does not hold the timer up: what lies in the vault is renewed all the same', async () => {
    const world = await startedWorld({ issuancesPerIdentity: 1 });
    const kms = tokenFromVault(world, KMS);
    world.clock.advance(46 * 24 * HOUR_MS);
    assert.equal(await outcome(logInFrom(world, NEIGHBOUR, kms, requestOf(KMS, 'replica'))), 'ok');
    const { generation } = (await identityOf(world, KMS)).certificate;
    await world.tick();
    const { certificate, issuances } = await identityOf(world, KMS);
    assert.equal(certificate.generation, generation + 1);
    assert.equal(issuances?.count, 1);
  });

  test('is read from a record that was written before there was a limit', async () => {
    const world = await startedWorld();
    const partition = String(shardOf('management', RECORD_SHARDS)).padStart(2, '0');
    const key = 'i|management|nodeagent';
    const row = await world.tables.record.get(partition, key);
    const { issuances: _, ...old } = JSON.parse(row?.data ?? '{}');
    await world.tables.record.commit(partition, [{ op: 'put', key, v: 1, data: JSON.stringify(old) }]);
    assert.equal((await identityOf(world, NODE_AGENT)).issuances, null);
  });
});
