import { Decrypter, Encrypter } from 'age-encryption';
import { EverleafError } from '../../domain/errors.ts';
import type { BackupCipher } from '../../ports/backup-cipher.ts';

/**
 * The age format (https://age-encryption.org/v1) for recipients that are public keys: the `age` command opens what it
 * makes. Pieces of 64 KiB are sealed one by one, so that neither side holds more than one.
 * @param recipients `age1...`, at least one
 * @throws EverleafError InvalidSettings for a recipient that is none
 */
export function ageCipher(recipients: readonly string[]): BackupCipher {
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (error) {
      throw new EverleafError(
        'InvalidSettings',
        `BACKUP_RECIPIENTS: "${recipient}" is no recipient of age. \`age-keygen\` prints one as "public key".`,
        { cause: error },
      );
    }
  }
  return {
    encrypt: async function* encrypt(content) {
      yield* await encrypter.encrypt(ReadableStream.from(content));
    },
  };
}

/**
 * Opens what one of the identity's recipients was given, and finds every change to it: what comes out of a file that was
 * cut, altered or lengthened ends with an error, after pieces that are genuine. Who wrote it, it does not tell: recipients
 * are public.
 * @param identities `AGE-SECRET-KEY-1...`, of which one has to be a recipient's
 * @throws EverleafError InvalidInput when it cannot be opened
 */
export async function* decryptAge(
  content: AsyncIterable<Uint8Array>,
  identities: readonly string[],
): AsyncGenerator<Uint8Array> {
  const decrypter = new Decrypter();
  try {
    for (const identity of identities) decrypter.addIdentity(identity);
  } catch (error) {
    throw cannotOpen('an identity is none of age, which begins with AGE-SECRET-KEY-', error);
  }
  try {
    yield* await decrypter.decrypt(ReadableStream.from(content));
  } catch (error) {
    if (error instanceof EverleafError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw cannotOpen(`it is damaged, cut short, or encrypted for somebody else (${why})`, error);
  }
}

function cannotOpen(why: string, cause: unknown): EverleafError {
  return new EverleafError('InvalidInput', `The backup cannot be opened: ${why}.`, { cause });
}
