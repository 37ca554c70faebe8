import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { writeDurably } from './durable-file.ts';
import { badParameter, VaultError } from './errors.ts';
import type { StoredObject } from './model.ts';

/**
 * Turns objects into backups and back. As the service's, a backup says nothing to its holder and can be restored in the
 * same family of vaults only: there the same subscription and geography, here the same state directory.
 */
export interface BackupCipher {
  /** @returns base64url */
  seal(object: StoredObject): string;
  /** @throws VaultError 400 for what no vault of this family has sealed */
  open(backup: string): StoredObject;
}

/** Backups begin with it; a later form would have another. */
const VERSION = Buffer.from('ELKV1');
const NONCE_OCTETS = 12;
const TAG_OCTETS = 16;

/** A cipher (AES-256-GCM) with the key in the file at `path`, which is made when missing. */
export async function loadBackupCipher(path: string): Promise<BackupCipher> {
  const key = await loadOrMakeKey(path);
  return {
    seal(object) {
      const nonce = randomBytes(NONCE_OCTETS);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(VERSION);
      const sealed = Buffer.concat([cipher.update(JSON.stringify(object), 'utf8'), cipher.final()]);
      return Buffer.concat([VERSION, nonce, sealed, cipher.getAuthTag()]).toString('base64url');
    },
    open(backup) {
      const bytes = Buffer.from(backup, 'base64url');
      const body = bytes.subarray(VERSION.length);
      if (!bytes.subarray(0, VERSION.length).equals(VERSION) || body.length < NONCE_OCTETS + TAG_OCTETS) {
        throw malformed();
      }
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, NONCE_OCTETS))
          .setAAD(VERSION)
          .setAuthTag(body.subarray(-TAG_OCTETS));
        const text = Buffer.concat([
          decipher.update(body.subarray(NONCE_OCTETS, -TAG_OCTETS)),
          decipher.final(),
        ]);
        return JSON.parse(text.toString('utf8')) as StoredObject;
      } catch {
        // The service's words, as users report them (Azure/azure-cli#8767).
        throw badParameter('Cannot decrypt backup blob');
      }
    },
  };
}

/** As recorded in azure-sdk-for-js, "can restore a certificate (Malformed Backup Bytes)". */
function malformed(): VaultError {
  return new VaultError(400, 'Malformed backup blob', 'Backup blob contains invalid or corrupt version.');
}

async function loadOrMakeKey(path: string): Promise<Buffer> {
  try {
    return Buffer.from(await readFile(path, 'utf8'), 'base64url');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const key = randomBytes(32);
  await writeDurably(path, key.toString('base64url'));
  return key;
}
