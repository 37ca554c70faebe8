import type { BackupVaultLine } from '../domain/backup-file.ts';
import { fromBase64Url } from '../domain/encoding.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import type { VaultRestore } from '../ports/vault-backup.ts';

/** What is to be done about one object of the vault. */
export interface VaultPlan {
  readonly line: BackupVaultLine;
  /** The vault has the backup's newest version, so nothing is to be done. */
  readonly isThere: boolean;
}

/**
 * Looks at what the vault has. Writes nothing.
 * @throws EverleafError Conflict naming everything that is there and is something else
 */
export async function planVault(
  vault: VaultRestore,
  lines: readonly BackupVaultLine[],
): Promise<readonly VaultPlan[]> {
  const plans: VaultPlan[] = [];
  const strangers: string[] = [];
  for (const line of lines) {
    const versions = await vault.versions(line.type, line.name);
    const isThere = versions.includes(line.version);
    if (!isThere && versions.length > 0) strangers.push(`the ${line.type} "${line.name}"`);
    plans.push({ line, isThere });
  }
  if (strangers.length === 0) return plans;
  throw new EverleafError(
    'Conflict',
    `The vault has something else under the name of ${strangers.join(', ')}. Restore into another vault, or delete and purge ` +
      'them there if nobody needs them.',
  );
}

/**
 * Brings one object back: out of the copy, or out of the vault's own bin where the name is soft-deleted. Safe to repeat.
 * @returns how
 * @throws EverleafError Conflict when what lay in the bin is something else; as VaultRestore
 */
export async function restoreVault(
  vault: VaultRestore,
  { type, name, version, blob }: BackupVaultLine,
): Promise<'restored' | 'recovered'> {
  const bytes = fromBase64Url(blob);
  if (bytes === null) {
    throw new EverleafError('InvalidInput', `The backup's copy of the ${type} "${name}" cannot be read.`);
  }
  try {
    await vault.restore(type, bytes);
    return 'restored';
  } catch (error) {
    // An answer that got lost, and a restore that was gone on with meanwhile, leave the object there.
    if ((await vault.versions(type, name)).includes(version)) return 'restored';
    if (!isEverleafError(error, 'VaultObjectDeleted')) throw error;
  }
  await vault.recover(type, name);
  if ((await vault.versions(type, name)).includes(version)) return 'recovered';
  throw new EverleafError(
    'Conflict',
    `The vault had another ${type} "${name}" among its soft-deleted objects, and it is recovered now. Restore into another ` +
      'vault, or delete and purge it there if nobody needs it.',
  );
}
