/** Files that are no whole backup, and places that are not free: refused, and nothing is written. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { ageCipher } from '../../shared/adapters/backup/age-cipher.ts';
import type { CopyFamily } from '../../shared/adapters/memory/memory-copies.ts';
import { toHex } from '../../shared/domain/encoding.ts';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { VAULT_ROTATION_KEY_NAME } from '../../shared/domain/names.ts';
import { Secret } from '../../shared/domain/secret.ts';
import type { OpenBackup } from '../../shared/use-cases/read-backup.ts';
import type { RestoreOptions } from '../../shared/use-cases/restore-backup.ts';
import { sealAudit } from '../../shared/use-cases/seal-audit.ts';
import { backUp, ofText, opened, pieces, recordOf, restoreInto, textOf } from '../support/backups.ts';
import { BACKUP_KEYS, memoryWorld, type World } from '../support/memory-world.ts';
import { startWorld } from '../support/started-world.ts';

const OPTIONS = { contentType: 'text/plain', tags: {}, expiresAt: null };

let family: CopyFamily;
let world: World;
let file: Uint8Array;
let text: string;

before(async () => {
  family = new Map();
  world = memoryWorld({}, undefined, { family });
  await startWorld(world);
  file = await backUp(world);
  text = await textOf(opened(file));
});

const emptyPlace = () => memoryWorld({}, undefined, { family });

async function refused(
  place: World,
  open: OpenBackup,
  expected: { code: string; message: RegExp },
  options: Partial<RestoreOptions> = {},
): Promise<void> {
  const before = await contentOf(place);
  await assert.rejects(restoreInto(place, open, options), { name: 'EverleafError', ...expected });
  assert.deepEqual(await contentOf(place), before);
}

async function contentOf(place: World) {
  return {
    record: await recordOf(place),
    certificates: place.authorityVault.names(),
    secrets: place.authoritySecrets.versions(VAULT_ROTATION_KEY_NAME).length,
  };
}

describe('50 a file is refused before anything is written', () => {
  const cannotOpen = { code: 'InvalidInput', message: /^The backup cannot be opened: / };

  test('when it was cut, altered, or lengthened', async () => {
    for (const length of [0, 10, 100, file.length - 70_000, file.length - 1]) {
      await refused(emptyPlace(), opened(file.slice(0, length)), cannotOpen);
    }
    for (const at of [30, 250, Math.floor(file.length / 2), file.length - 1]) {
      const altered = Uint8Array.from(file);
      altered[at] = (altered[at] ?? 0) ^ 1;
      await refused(emptyPlace(), opened(altered), cannotOpen);
    }
    await refused(emptyPlace(), opened(Uint8Array.from([...file, 0])), cannotOpen);
    await refused(emptyPlace(), opened(Uint8Array.from([...file, ...file])), cannotOpen);
  });

  test('when it is for somebody else, or the identity is none', async () => {
    await refused(emptyPlace(), opened(file, await generateX25519Identity()), cannotOpen);
    await refused(emptyPlace(), opened(file, 'AGE-SECRET-KEY-1NONE'), {
      ...cannotOpen,
      message: /an identity is none of age/,
    });
  });

  const lines = () => text.trimEnd().split('\n');
  const withHash = (kept: readonly string[], end: object = {}) => {
    const body = kept.map((line) => `${line}\n`).join('');
    const hash = world.deps.digest.sha256(Buffer.from(body));
    const said = { ...JSON.parse(lines().at(-1) ?? ''), sha256: toHex(hash), ...end };
    return `${body}${JSON.stringify(said)}\n`;
  };
  const contents: readonly (readonly [string, () => string, RegExp])[] = [
    ['has no end', () => `${lines().slice(0, -1).join('\n')}\n`, /it has no end: it was cut short/],
    ['ends within a line', () => text.slice(0, -1), /its last line has no end/],
    ['is empty', () => '', /it has no end/],
    ['was put together from two', () => text + text, /it goes on behind its end/],
    ['lacks a row', () => text.replace(/\{"kind":"row".*\n/, ''), /it is not what its own hash says/],
    ['lacks a copy of the vault', () => withHash(lines().slice(0, -2)), /it has \d objects of the vault/],
    ['begins with no header', () => withHash(lines().slice(1, -1)), /it begins with "partition"/],
    [
      'has its parts in another order',
      () => withHash([...lines().slice(0, -1), '{"kind":"partition","table":"record","partition":"00"}']),
      /"partition" stands behind "vault"/,
    ],
    [
      'has a table that it does not name',
      () => withHash([lines()[0] ?? '', '{"kind":"partition","table":"more","partition":"00"}']),
      /rows of a table "more"/,
    ],
    [
      'has a table of a later program',
      () =>
        withHash([(lines()[0] ?? '').replace('"tables":[', '"tables":["more",'), ...lines().slice(1, -1)]),
      /tables that this program does not know \(more\)/,
    ],
    ['is of a later form', () => text.replace('"format":1', '"format":2'), /it is of format 2/],
    ['is something else', () => '{"hello":"world"}\n', /a line that is none of a backup/],
    ['is no JSON', () => 'hello\n', /a line that is no JSON object/],
  ];
  for (const [title, make, message] of contents) {
    test(`when what was encrypted ${title}`, () =>
      refused(emptyPlace(), ofText(make()), { code: 'InvalidInput', message }));
  }

  test('when what was encrypted is no text', () =>
    refused(emptyPlace(), () => pieces(Uint8Array.of(0xff, 0xfe, 10)), {
      code: 'InvalidInput',
      message: /a line that is no text/,
    }));
});

describe('50 a place is refused', () => {
  test('when its record has rows', () =>
    refused(world, opened(file), { code: 'Conflict', message: /The record is not empty/ }));

  test('when its vault has something else under a name, which it says', async () => {
    const place = emptyPlace();
    await place.authoritySecrets.write(VAULT_ROTATION_KEY_NAME, new Secret('another'), OPTIONS);
    await refused(place, opened(file), { code: 'Conflict', message: /the secret "rotation-key"/ });
    await restoreInto(place, opened(file), { parts: 'record' });
  });

  test('when its vault is of another subscription or geography', async () => {
    await refused(memoryWorld(), opened(file), {
      code: 'VaultRefused',
      message: /the copy is of no such vault/,
    });
  });
});

describe('50 a restore', () => {
  test('that is tried dry says what it would do, and does nothing', async () => {
    const place = emptyPlace();
    const { rows, vault } = await restoreInto(place, opened(file), { dryRun: true });
    assert.equal(rows, null);
    assert.deepEqual(
      vault.map(({ isThere }) => isThere),
      [false, false, false],
    );
    assert.deepEqual(await recordOf(place), {});
    assert.deepEqual(place.authorityVault.names(), []);
    assert.ok(
      place.lines.some((line) => /^The secret "rotation-key" of the vault would be restored/.test(line)),
    );
  });

  test('of the vault alone goes beside a record that lives, and leaves alone what is there', async () => {
    world.authoritySecrets.softDelete(VAULT_ROTATION_KEY_NAME);
    const before = await recordOf(world);
    const { vault } = await restoreInto(world, opened(file), { parts: 'vault' });
    assert.deepEqual(
      vault.map(({ line, isThere }) => [line.type, isThere]),
      [
        ['secret', false],
        ['certificate', true],
        ['certificate', true],
      ],
    );
    assert.equal(world.authoritySecrets.versions(VAULT_ROTATION_KEY_NAME).length, 1);
    assert.deepEqual(await recordOf(world), before);
  });

  test('beside the old checkpoints tells which entries of the audit log the backup did not have', async () => {
    const lost = memoryWorld({}, undefined, { family });
    await startWorld(lost);
    lost.clock.advance(DAY_MS);
    await sealAudit(lost.deps, lost.run);
    const early = await backUp(lost);
    lost.clock.advance(DAY_MS);
    await sealAudit(lost.deps, lost.run);
    const place = emptyPlace();
    const last = (await lost.checkpoints.list('management')).at(-1) ?? 0;
    await place.checkpoints.put('management', last + 3, 'a.b.c');
    const report = await restoreInto(place, opened(early));
    assert.deepEqual(report.lost, [{ chain: 'management', first: last + 1, last: last + 3 }]);
  });

  test('takes what somebody wrote who had several recipients', async () => {
    // Keys of after the quantum computer, too.
    const second = await generateHybridIdentity();
    const cipher = ageCipher([BACKUP_KEYS.recipient, await identityToRecipient(second)]);
    const encrypted: Uint8Array[] = [];
    for await (const piece of cipher.encrypt(pieces(Buffer.from(text)))) encrypted.push(piece);
    await restoreInto(emptyPlace(), opened(Uint8Array.from(Buffer.concat(encrypted)), second));
    assert.throws(() => ageCipher(['age1none']), { code: 'InvalidSettings', message: /BACKUP_RECIPIENTS/ });
  });
});
