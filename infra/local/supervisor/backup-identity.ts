/** The pair of keys that this machine's backups are for: whoever can read the state directory can open them. */
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { readTextFile, writePrivateFile } from './files.ts';

/** In the state directory; `npm run restore` and `age -d -i` read it. */
export const BACKUP_IDENTITY_FILE = 'backup-identity.txt';

/**
 * Reads the state directory's identity, or makes it.
 * @returns its recipient, `age1...`
 * @throws Error when the file has no identity of age in it
 */
export async function ensureBackupRecipient(stateDir: string): Promise<string> {
  const path = join(stateDir, BACKUP_IDENTITY_FILE);
  const lines = (readTextFile(path) ?? '').split('\n').map((line) => line.trim());
  const stored = lines.find((line) => line !== '' && !line.startsWith('#'));
  const identity = stored ?? (await generateX25519Identity());
  const recipient = await identityToRecipient(identity).catch((cause: unknown) => {
    throw new Error(
      `${path} has no identity of age. Repair it, or remove it: backups so far open no more then.`,
      {
        cause,
      },
    );
  });
  if (stored === undefined) writePrivateFile(path, `# public key: ${recipient}\n${identity}\n`);
  return recipient;
}
