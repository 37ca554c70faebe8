import { EverleafError } from './errors.ts';
import { type IdentityId, isClusterName, isIdentityName } from './names.ts';

/** Where an action is done: the whole fleet (both null), a cluster, or one identity. */
export interface Scope {
  readonly cluster: string | null;
  /** Only beside a cluster. */
  readonly name: string | null;
}

/** The text of the scope that everything lies in. */
export const FLEET_SCOPE = '/';

/**
 * Reads `/`, `/clusters/<cluster>` or `/clusters/<cluster>/identities/<name>`. Nothing else is a scope: no slash at the
 * end, no empty segment, no escape.
 * @throws EverleafError InvalidInput
 */
export function parseScope(text: string): Scope {
  if (text === FLEET_SCOPE) return { cluster: null, name: null };
  const [before, clusters, cluster = '', identities, name, ...rest] = text.split('/');
  const isScope =
    before === '' &&
    clusters === 'clusters' &&
    isClusterName(cluster) &&
    rest.length === 0 &&
    (identities === undefined || (identities === 'identities' && name !== undefined && isIdentityName(name)));
  if (!isScope) {
    throw new EverleafError(
      'InvalidInput',
      'A scope is "/", "/clusters/<cluster>" or "/clusters/<cluster>/identities/<name>", and this is none.',
    );
  }
  return { cluster, name: name ?? null };
}

/** Whether a scope is another one or holds it. Identity names compare without case, as everywhere. */
export function coversScope(outer: Scope, inner: Scope): boolean {
  if (outer.cluster === null) return true;
  if (outer.cluster !== inner.cluster) return false;
  return outer.name === null || outer.name.toLowerCase() === inner.name?.toLowerCase();
}

/** The scope of one identity, as a text. */
export function identityScope({ cluster, name }: IdentityId): string {
  return `/clusters/${cluster}/identities/${name}`;
}
