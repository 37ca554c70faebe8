import type { CredentialKind } from './identity.ts';
import { type IdentityId, isClusterName, isIdentityName } from './names.ts';

/** What a vault can say has happened to one of its objects. */
export const HINT_KINDS = ['new-version', 'near-expiry', 'expired'] as const;

export type HintKind = (typeof HINT_KINDS)[number];

/**
 * What somebody says a vault has said: a reason to look now, and nothing more. Whoever may write to the queue can say
 * anything, the same event comes twice and late, so nothing in it is ever believed; the record and the vault are asked.
 */
export interface VaultHint {
  readonly kind: HintKind;
  /** Scheme, host and port of the vault, as `https://clients.vault.azure.net`. */
  readonly vaultOrigin: string;
  /** In lower case. */
  readonly name: string;
  readonly version: string;
}

/** Whose a name in a vault is. */
export type HintSubject =
  | { readonly of: 'identity'; readonly kind: CredentialKind; readonly identity: IdentityId }
  | { readonly of: 'authority' | 'responder'; readonly authorityId: string };

/** An authority's id as it stands in names: ids are made of hexadecimal digits, and others' may be longer. */
const AUTHORITY_ID = /^[a-z0-9](?:-?[a-z0-9])*$/;
const AUTHORITY_ID_MAX = 64;

/**
 * Whose name in a vault this is: the other direction of `vaultCertificateName` and its sisters, and of nothing else.
 * @param name in any case, as Key Vault takes it
 * @returns null for a name that none of them makes
 */
export function subjectOf(name: string): HintSubject | null {
  const [, prefix = '', rest = ''] =
    /^(client|token|authority|responder)--(.*)$/.exec(name.toLowerCase()) ?? [];
  if (prefix === 'authority' || prefix === 'responder') {
    const isId = rest.length <= AUTHORITY_ID_MAX && AUTHORITY_ID.test(rest);
    return isId ? { of: prefix, authorityId: rest } : null;
  }
  // Neither name holds two hyphens in a row, so there is one way to take them apart.
  const [cluster = '', identity = '', ...more] = rest.split('--');
  if (more.length > 0 || !isClusterName(cluster) || !isIdentityName(identity)) return null;
  const kind = prefix === 'client' ? 'certificate' : 'token';
  return { of: 'identity', kind, identity: { cluster, name: identity } };
}
