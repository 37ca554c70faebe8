/**
 * Locks backups for those who may restore. Whoever locks them cannot open them.
 * 1. `encrypt` gives the same bytes in a form that the recipients alone can open, piece by piece, without holding them all.
 */
export interface BackupCipher {
  encrypt(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}
