import { EverleafError, isEverleafError } from '../domain/errors.ts';
import type { CredentialVault, KeySpec, PendingRequest } from '../ports/credential-vault.ts';

/** create, then once more after each of: recovered a deleted name, removed an operation that had ended. */
const TRIES = 4;

/**
 * Gets a certificate request out of the vault, whatever an earlier attempt left behind. A vault name belongs to one
 * identity alone, so an operation that is waiting there is ours whichever attempt began it: its key is as good.
 * @param isUsable says whether a waiting request has the wanted kind of key; another one is thrown away
 * @throws EverleafError VaultObjectPending (retryable) while the vault itself works on the name
 */
export async function requestFromVault(
  vault: CredentialVault,
  name: string,
  spec: KeySpec,
  isUsable: (request: PendingRequest) => boolean,
): Promise<PendingRequest> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const waiting = await vault.pending(name);
    if (waiting.state === 'waiting') {
      if (isUsable(waiting)) return waiting;
      await vault.discardPending(name);
    }
    try {
      return await vault.request(name, spec);
    } catch (error) {
      if (isEverleafError(error, 'VaultObjectDeleted')) await vault.recover(name);
      else if (!isEverleafError(error, 'VaultObjectPending')) throw error;
      else if ((await vault.pending(name)).state === 'ended') await vault.discardPending(name);
    }
  }
  throw new EverleafError(
    'VaultObjectPending',
    `Cannot get a certificate request for "${name}": the vault keeps saying that the name is busy.`,
    { retryable: true, retryAfterSeconds: 30 },
  );
}
