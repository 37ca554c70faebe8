/**
 * Puts a backup back into an empty place: docs/restore.md tells when and how. It runs beside the product, on whoever
 * restores' machine and with their rights; the app has none to restore.
 *
 *   npm run restore -- --file <backup.age> --identity <file of age-keygen> [--dry-run] [--resume]
 *                      [--vault-only | --record-only] [--sha256 <hash of the file>]
 *
 * Where to, the settings of the app in the environment say (AUTHORITY_VAULT_URL, RECORD_STORAGE__...), or else
 * environment.json in EVERLEAF_STATE_DIR, which `npm start` writes. The exit code is 0 when all was done, 1 when the backup
 * or the place was refused and nothing was written, 2 when it was cut short.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { decryptAge } from '../../shared/adapters/backup/age-cipher.ts';
import { isEverleafError } from '../../shared/domain/errors.ts';
import {
  type RestoreOptions,
  type RestoreReport,
  restoreBackup,
} from '../../shared/use-cases/restore-backup.ts';
import { connectTarget, readTarget } from './target.ts';

const USAGE =
  'Usage: npm run restore -- --file <backup.age> --identity <file of age-keygen> [--dry-run] [--resume]\n' +
  '                         [--vault-only | --record-only] [--sha256 <hash of the file>]';

/** What is said of a file, or a place, that is refused. */
const REFUSALS = ['InvalidInput', 'Conflict', 'InvalidSettings'] as const;

class Refused extends Error {}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const isRefusal = error instanceof Refused || isEverleafError(error, ...REFUSALS);
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  if (!isRefusal)
    console.error(
      'The restore was cut short. Run the same command with --resume: it goes on, and repeats what it must.',
    );
  process.exitCode = isRefusal ? 1 : 2;
}

async function main(args: readonly string[]): Promise<void> {
  const { file, identityFile, sha256, options } = readArguments(args);
  const actual = await hashOf(file);
  console.log(`SHA-256 of ${file}: ${actual}`);
  if (sha256 === undefined) {
    console.log(
      'Compare it with that of the event, or log line, `backup-written`: age does not tell who wrote a file.',
    );
  } else if (sha256.toLowerCase() !== actual) {
    throw new Refused(`The file is not the one whose SHA-256 is ${sha256}.`);
  }
  const identities = await readIdentities(identityFile);
  const target = await readTarget(process.env);
  console.log(`Into the record at ${target.storageName} and the vault ${target.authorityVaultUrl}.`);
  const open = () => decryptAge(createReadStream(file), identities);
  tellNext(await restoreBackup(connectTarget(target), open, options), options);
}

function readArguments(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        file: text,
        identity: text,
        sha256: text,
        'vault-only': flag,
        'record-only': flag,
        'dry-run': flag,
        resume: flag,
      },
    });
    const { file, identity, sha256 } = values;
    if (file === undefined || identity === undefined) throw new Error('--file and --identity are needed.');
    if (values['vault-only'] && values['record-only'])
      throw new Error('choose one of --vault-only and --record-only.');
    const options: RestoreOptions = {
      parts: values['vault-only'] ? 'vault' : values['record-only'] ? 'record' : 'all',
      resume: values.resume,
      dryRun: values['dry-run'],
      run: {
        actor: { kind: 'operator', id: 'restore', source: null },
        correlationId: randomUUID(),
        log: { write: (_, message) => console.log(message) },
      },
      say: (line) => console.log(line),
    };
    return { file, identityFile: identity, sha256, options };
  } catch (error) {
    throw new Refused(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  } catch (error) {
    throw new Refused(`The file cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return hash.digest('hex');
}

/** The lines that are no comments, as `age -i` reads them. */
async function readIdentities(path: string): Promise<readonly string[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Refused(
      `The identity cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  const identities = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (identities.length === 0) throw new Refused(`There is no identity in ${path}: age-keygen writes one.`);
  return identities;
}

function tellNext({ backup, rows, lost }: RestoreReport, { dryRun }: RestoreOptions): void {
  for (const { chain, first, last } of lost) {
    console.log(
      `Checkpoints here know of the entries ${first} to ${last} of the audit log "${chain}", which the backup has not sealed. ` +
        'Those that wait in it are sealed again, the others are lost: npm run verify-audit tells.',
    );
  }
  if (dryRun) console.log('\nNothing was written: this was a dry run.');
  else if (rows === null) console.log('\nThe vault has what the backup has.');
  else {
    console.log(`
Restored to ${backup.header.createdAt}. What happened afterwards is not known here. Now:
1. Set the app's settings (the backup was made with those below) and start it.
2. Run the timers reconcile, then renew-due: what vaults and record have differing is made anew. Then publish-crl: the
   revocation lists are published again.
3. Revoke again what was revoked after that moment, and make again the identities of that time.
4. Agents that renewed or rotated afterwards hold what the record does not know. Those that are refused get new login
   files: POST /api/clusters/<cluster>/identities/<name>/rotate.
5. Certificates issued afterwards are valid until they end; if you cannot wait, taint the authority.
6. Run npm run verify-audit.
${JSON.stringify({ policy: backup.header.policy, site: backup.header.site }, null, 2)}`);
    if (backup.end.restless.length > 0) {
      console.log(`Of several moments, because they never came to rest: ${backup.end.restless.join(', ')}.`);
    }
  }
}
