import { showAttributes, showTags } from './attributes.ts';
import { objectId } from './identifiers.ts';
import { publicKeyOf } from './key-material.ts';
import type { KeyVersion, StoredObject } from './model.ts';
import { showKeyType } from './policy.ts';
import type { Vault } from './request.ts';

/** A version of a key, with its public half only. */
export function showKey(vault: Vault, owner: StoredObject, version: KeyVersion): Record<string, unknown> {
  const { key } = version;
  const { kty, n, e, crv, x, y } = publicKeyOf(key).export({ format: 'jwk' });
  return {
    key: {
      kid: objectId(vault, 'keys', owner.name, version.version),
      kty: showKeyType(key.type),
      key_ops: key.keyOps,
      ...(kty === 'RSA' ? { n, e } : { crv, x, y }),
    },
    ...about(vault, owner, version),
  };
}

/** An entry of a list: without the version unless the list is one of versions. */
export function showKeyItem(
  vault: Vault,
  owner: StoredObject,
  version: KeyVersion,
  idVersion?: string,
): Record<string, unknown> {
  return { kid: objectId(vault, 'keys', owner.name, idVersion), ...about(vault, owner, version) };
}

function about(vault: Vault, owner: StoredObject, { attributes, tags }: KeyVersion): Record<string, unknown> {
  return {
    attributes: showAttributes(vault, attributes),
    ...showTags(tags),
    ...(owner.kind === 'certificate' ? { managed: true } : {}),
  };
}
