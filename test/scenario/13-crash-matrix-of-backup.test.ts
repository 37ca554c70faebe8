/** The crash matrix of what is written once a day, and of what puts it back: see 13-crash-matrix. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { CopyFamily } from '../../shared/adapters/memory/memory-copies.ts';
import { SEAL_AFTER_MS } from '../../shared/domain/audit.ts';
import { EverleafError } from '../../shared/domain/errors.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import { VAULT_ROTATION_KEY_NAME } from '../../shared/domain/names.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { checkBackup } from '../../shared/use-cases/read-backup.ts';
import type { RestoreDeps } from '../../shared/use-cases/restore-backup.ts';
import { sealAudit } from '../../shared/use-cases/seal-audit.ts';
import { writeBackup } from '../../shared/use-cases/write-backup.ts';
import { backUp, opened, recordOf, restoreDeps, restoreInto } from '../support/backups.ts';
import { crashMatrix } from '../support/crash-matrix.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { startWorld } from '../support/started-world.ts';

crashMatrix([
  {
    title: 'backup',
    steps: [
      ['blob: the file', 'backups.write'],
      ['record: event', 'identities.commit'],
      ['record: when it was begun', 'fleet.replaceDeployment'],
    ],
    prepare: async (world) => {
      await startWorld(world);
      return {
        act: (deps) => writeBackup(deps, world.run),
        goOn: async () => {
          world.clock.advance(2 * HOUR_MS);
          await writeBackup(world.deps, world.run);
          const names = world.backups.names();
          assert.ok(names.length === 1 || names.length === 2, 'at worst there is a second file');
          for (const name of names) {
            const file = world.backups.content(name) ?? new Uint8Array();
            await checkBackup(world.deps.digest, opened(file));
          }
          return [];
        },
      };
    },
  },
]);

/** Where the keys are called otherwise than in the backup. */
const ELSEWHERE = 'https://elsewhere.vault.test';
const WRITES = /^(?:prepare|begin|put\w*|clear|finish|restore|recover|replaceAuthority|commit)$/;

describe('13 restore, killed at every write and gone on with, comes to the same as without', () => {
  let file: Uint8Array;
  let family: CopyFamily;
  let expected: unknown;
  let writes: string[];

  before(async () => {
    family = new Map();
    const world = memoryWorld({}, undefined, { family });
    await startWorld(world);
    world.clock.advance(SEAL_AFTER_MS + MINUTE_MS);
    await sealAudit(world.deps, world.run);
    file = await backUp(world);
    const place = await emptyPlace();
    const watched = kill(restoreDeps(place), Number.POSITIVE_INFINITY, 'before');
    await restoreInto(place, opened(file), {}, watched.deps);
    writes = watched.calls;
    expected = await stateOf(place);
  });

  /** The rotation key lies there in the vault's own bin. */
  async function emptyPlace(): Promise<World> {
    const place = memoryWorld({}, undefined, { family });
    const text = (await checkBackup(place.deps.digest, opened(file))).vault;
    const line = text.find(({ name }) => name === VAULT_ROTATION_KEY_NAME);
    await place.copies.restore('secret', Buffer.from(line?.blob ?? '', 'base64url'));
    place.authoritySecrets.softDelete(VAULT_ROTATION_KEY_NAME);
    return place;
  }

  test('the steps are vault, record, names of keys, end', () => {
    const order = writes.filter((call, i) => call !== writes[i - 1]);
    assert.deepEqual(order, [
      'restore',
      'recover',
      'restore',
      'prepare',
      'begin',
      'put',
      'replaceAuthority',
      'putSigningKey',
      'commit',
      'finish',
    ]);
  });

  for (const how of ['before', 'after'] as const) {
    test(`${how === 'before' ? 'dies before' : 'answer lost'}: each of them`, async () => {
      for (let n = 1; n <= writes.length; n++) {
        // One page of rows is like the next: an answer is lost for the first of each kind, which is repeated all the same.
        if (how === 'after' && writes[n - 1] === writes[n - 2]) continue;
        const place = await emptyPlace();
        const killed = kill(restoreDeps(place), n, how);
        const end = await restoreInto(place, opened(file), {}, killed.deps).catch((error: unknown) => error);
        // An answer may get lost without anybody noticing: what it told was looked up.
        if (how === 'before') assert.ok(end instanceof Error, `${writes[n - 1]}, write ${n}`);
        const { state } = await restoreDeps(place).record.state();
        if (state === 'loading') {
          await assert.rejects(place.deps.fleet.deployment(), { code: 'NotReady' });
          await assert.rejects(firstStart(place.deps, place.run), { code: 'NotReady' });
          await assert.rejects(restoreInto(place, opened(file)), { code: 'Conflict', message: /--resume/ });
        }
        if (state !== 'used') await restoreInto(place, opened(file), { resume: true }, renamed(place));
        assert.deepEqual(await stateOf(place), expected, `${how} ${writes[n - 1]}, write ${n}`);
      }
    });
  }

  test('goes on with the same backup alone', async () => {
    const place = await emptyPlace();
    const other = await backUp(await aged(await emptyPlace()));
    const killed = kill(restoreDeps(place), writes.indexOf('put') + 1, 'before');
    await assert.rejects(restoreInto(place, opened(file), {}, killed.deps));
    await assert.rejects(restoreInto(place, opened(other), { resume: true }), {
      code: 'Conflict',
      message: /another backup/,
    });
  });

  /** The same fleet a day later. */
  async function aged(place: World): Promise<World> {
    await restoreInto(place, opened(file));
    place.clock.advance(24 * HOUR_MS);
    return place;
  }
});

function renamed(place: World): RestoreDeps {
  return { ...restoreDeps(place), authorityVaultUrl: ELSEWHERE };
}

async function stateOf(place: World) {
  const secrets = place.authoritySecrets.versions(VAULT_ROTATION_KEY_NAME);
  return {
    record: Object.fromEntries(
      // That it was restored is told once more after a kill.
      Object.entries(await recordOf(place)).filter(([, row]) => !row.includes('"backup-restored"')),
    ),
    certificates: place.authorityVault
      .names()
      .map((name) => [name, place.authorityVault.versions(name).map(({ version }) => version)]),
    secrets: secrets.map(({ version }) => version),
  };
}

/** The same dependencies, which die at the n-th write, or do it and lose the answer; the n-th and none behind it. */
function kill(deps: RestoreDeps, n: number, how: 'before' | 'after'): { deps: RestoreDeps; calls: string[] } {
  const calls: string[] = [];
  let isDead = false;
  const wrap = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get: (_, property) => {
        const value: unknown = Reflect.get(part, property, part);
        if (typeof value !== 'function' || typeof property !== 'string') return value;
        const method = value.bind(part) as (...args: unknown[]) => Promise<unknown>;
        return async (...args: unknown[]) => {
          if (isDead && how === 'before') throw new Error('The process died here.');
          if (!WRITES.test(property)) return method(...args);
          calls.push(property);
          if (calls.length !== n) return method(...args);
          isDead = true;
          if (how === 'before') throw new Error('The process died here.');
          await method(...args);
          throw new EverleafError('StorageUnavailable', `${property} does not answer.`, { retryable: true });
        };
      },
    });
  return {
    calls,
    deps: {
      ...deps,
      authorityVaultUrl: ELSEWHERE,
      storage: deps.storage.map(wrap),
      record: wrap(deps.record),
      fleet: wrap(deps.fleet),
      identities: wrap(deps.identities),
      audit: wrap(deps.audit),
      vault: wrap(deps.vault),
    },
  };
}
