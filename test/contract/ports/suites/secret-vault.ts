import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Secret } from '../../../../shared/domain/secret.ts';
import type { SecretVault } from '../../../../shared/ports/secret-vault.ts';
import type { MakeVault } from './vault-subject.ts';

const NAME = 'token--management--kms';

function write(secrets: SecretVault, text: string, expiresAt: Date | null = null) {
  return secrets.write(NAME, new Secret(text), {
    contentType: 'text/plain',
    tags: { cluster: 'management' },
    expiresAt,
  });
}

async function reveal(secrets: SecretVault, version?: string): Promise<string | undefined> {
  return (await secrets.read(NAME, version))?.value.reveal();
}

/** The promises of SecretVault (shared/ports/secret-vault.ts), by their numbers. */
export function describeSecretVault(name: string, makeVault: MakeVault): void {
  describe(`SecretVault: ${name}`, () => {
    test('1. write adds a version and answers it; earlier ones stay readable', async (t) => {
      const { secrets } = await makeVault(t);
      const first = await write(secrets, 'one');
      const second = await write(secrets, 'two');
      assert.notEqual(second.version, first.version);
      assert.equal(await reveal(secrets, first.version), 'one');
      assert.equal(await reveal(secrets, second.version), 'two');
    });

    test('1. writing the same value again adds a version', async (t) => {
      const { secrets } = await makeVault(t);
      const first = await write(secrets, 'one');
      const again = await write(secrets, 'one');
      assert.notEqual(again.version, first.version);
    });

    test('1. a soft-deleted secret is recovered first, with its versions', async (t) => {
      const { secrets, softDeleteSecret } = await makeVault(t);
      const first = await write(secrets, 'one');
      await softDeleteSecret(NAME);
      assert.equal(await reveal(secrets), undefined);
      const second = await write(secrets, 'two');
      assert.equal(await reveal(secrets, first.version), 'one');
      assert.equal(await reveal(secrets), 'two');
      assert.equal((await secrets.read(NAME))?.version, second.version);
    });

    test('2. read answers the newest version or the one asked for, and null when there is none', async (t) => {
      const { secrets } = await makeVault(t);
      assert.equal(await secrets.read(NAME), null);
      const { version } = await write(secrets, 'one');
      assert.equal((await secrets.read(NAME))?.version, version);
      assert.equal(await secrets.read(NAME, '0'.repeat(32)), null);
      await write(secrets, 'two');
      assert.equal(await reveal(secrets), 'two');
    });

    test('2. a value with an end is readable after it: the record decides what has expired, not the vault', async (t) => {
      const { secrets } = await makeVault(t);
      await write(secrets, 'one', new Date(Date.now() - 86_400_000));
      assert.equal(await reveal(secrets), 'one');
    });

    test('3. a value comes back as it was, and prints as [secret]', async (t) => {
      const { secrets } = await makeVault(t);
      const text = 'line one\nline two: "ä" & 10 %\n';
      await write(secrets, text);
      const found = await secrets.read(NAME);
      assert.equal(found?.value.reveal(), text);
      assert.equal(`${found?.value}`, '[secret]');
    });
  });
}
