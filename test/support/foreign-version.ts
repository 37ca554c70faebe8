import { specOf } from './key-spec.ts';
import type { World } from './memory-world.ts';

/** Puts a version that the vault signed itself in front of the client's own. */
export async function addForeignVersion({ clientVault }: World, name: string): Promise<void> {
  await clientVault.createSelfSigned(name, specOf('RSA-2048'));
  await clientVault.pending(name);
}
