import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import type { MemoryVault } from '../../../shared/adapters/memory/memory-vault.ts';
import { VAULT_ROTATION_KEY_NAME } from '../../../shared/domain/names.ts';
import { RECORD_SHARDS } from '../../../shared/domain/sharding.ts';
import type { Digest } from '../../../shared/ports/digest.ts';
import type { World } from '../memory-world.ts';

/** Whatever looks like a token, whole or not. */
const TOKEN = /elt1_[\w-]{8,}/;

/** The head of a private key in PEM, and how the DER of one on P-256 begins (RFC 5958). A label alone tells nothing. */
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY|MIGHAgEAMBMGByqGSM49/;

/** Every form in which bytes could stand in a text. */
function formsOf(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes);
  return [buffer.toString('hex'), buffer.toString('base64').replace(/=+$/, ''), buffer.toString('base64url')];
}

const privateForms = new WeakMap<KeyObject, readonly string[]>();

function formsOfKey(key: KeyObject): readonly string[] {
  const known =
    privateForms.get(key) ?? formsOf(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'));
  privateForms.set(key, known);
  return known;
}

/** What nobody may see, of one deployment, from its beginning. */
export class Secrets {
  readonly #world: World;
  readonly #forms = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The same digest, that tells here what was derived from the rotation key: the secrets of all tokens. */
  watching(digest: Digest): Digest {
    return {
      sha256: (bytes) => digest.sha256(bytes),
      equal: (a, b) => digest.equal(a, b),
      hashing: () => digest.hashing(),
      hmacSha256: (key, text) => {
        const derived = digest.hmacSha256(key, text);
        this.#add(formsOf(key), formsOf(derived));
        return derived;
      },
    };
  }

  /** Takes in what has been made since: nonces of tokens, keys of the vaults. */
  async refresh(): Promise<void> {
    const { tables, authorityVault, clientVault, authoritySecrets } = this.#world;
    const [rotationKey] = authoritySecrets.versions(VAULT_ROTATION_KEY_NAME);
    if (rotationKey !== undefined) this.#add([rotationKey.value.reveal()]);
    for (const vault of [authorityVault, clientVault]) this.#add(...keysOf(vault).map(formsOfKey));
    for (let shard = 0; shard < RECORD_SHARDS; shard++) {
      for (const { data } of await tables.record.range(String(shard).padStart(2, '0'), 't|', 't}', 10_000)) {
        const { nonce } = JSON.parse(data) as { nonce: string | null };
        if (nonce !== null) this.#add([nonce]);
      }
    }
  }

  /**
   * Fails when a text holds one of them.
   * @param where for the message
   */
  assertNone(text: string, where: string): void {
    assert.doesNotMatch(text, TOKEN, `${where} holds a token`);
    assert.doesNotMatch(text, PRIVATE_KEY, `${where} holds a private key`);
    for (const form of this.#forms) assert.ok(!text.includes(form), `${where} holds a secret`);
  }

  #add(...lists: readonly (readonly string[])[]): void {
    for (const form of lists.flat()) {
      // An empty one would be found everywhere.
      if (form.length >= 16) this.#forms.add(form);
    }
  }
}

function keysOf(vault: MemoryVault): KeyObject[] {
  return vault
    .names()
    .flatMap((name) => vault.versions(name).flatMap(({ keyId }) => keyIfEnabled(vault, keyId)));
}

function keyIfEnabled(vault: MemoryVault, keyId: string): KeyObject[] {
  try {
    return [vault.keyOf(keyId)];
  } catch {
    return [];
  }
}
