import type { KeyObject } from 'node:crypto';
import { makeKeyPair } from '../../shared/adapters/memory/memory-certificates.ts';
import type { KeySpec } from '../../shared/ports/credential-vault.ts';
import { keptRsaKey } from './kept-keys.ts';

export type KeyMaker = (spec: Pick<KeySpec, 'keyType'>) => KeyObject;

const made: KeyObject[] = [];

/**
 * Keys for the vaults of one world, no two alike. RSA keys take a tenth of a second each, so every world is handed the
 * same ones in the same order.
 * @param most after so many RSA keys they begin anew: for a long story that is about other things than keys
 */
export function readyKeys(most: number = Number.POSITIVE_INFINITY): KeyMaker {
  let next = 0;
  return (spec) => {
    if (spec.keyType !== 'RSA-2048') return makeKeyPair(spec);
    const place = next++ % most;
    const key = made[place] ?? keptRsaKey(`vault-${place}`, 2048);
    made[place] = key;
    return key;
  };
}
