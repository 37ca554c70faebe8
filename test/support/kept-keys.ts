import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Beside the packages: ignored by git, and gone when they are. */
const FOLDER = fileURLToPath(new URL('../../node_modules/.everleaf-test-keys', import.meta.url));

/**
 * An RSA key for tests. Making one takes a tenth of a second and up to some seconds, in every test file anew and for
 * nothing that the tests are about, so that they are kept from run to run. No key of the product or of the local
 * environment is made here.
 * @param name the same name and size give the same key
 */
export function keptRsaKey(name: string, modulusLength: number): KeyObject {
  const file = join(FOLDER, `rsa-${modulusLength}-${name}.der`);
  try {
    return createPrivateKey({ key: readFileSync(file), format: 'der', type: 'pkcs8' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength });
  mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
  // Whole or not at all, also when two test files make it at once: the later one stays.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, privateKey.export({ format: 'der', type: 'pkcs8' }), { mode: 0o600 });
  renameSync(draft, file);
  return privateKey;
}
