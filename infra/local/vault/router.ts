import type { Authorizer } from './authorization.ts';
import { backupRoutes } from './backup.ts';
import { certificateRoutes } from './certificates.ts';
import { badParameter, VaultError } from './errors.ts';
import { checkName } from './identifiers.ts';
import { importRoutes } from './import.ts';
import { keyRoutes } from './keys.ts';
import { keyTypeOf } from './live-objects.ts';
import { ownKeyRoutes } from './own-keys.ts';
import { pendingRoutes } from './pending.ts';
import type { Route, VaultRequest, VaultResponse } from './request.ts';
import { secretRoutes } from './secrets.ts';
import { softDeleteRoutes } from './soft-delete.ts';

/** Every route of the stand-in. Words of a path come before `:version`, so that "policy" is never a version. */
const ROUTES: readonly Route[] = [
  ...softDeleteRoutes,
  ...backupRoutes,
  ...importRoutes,
  ...pendingRoutes,
  ...certificateRoutes,
  ...keyRoutes,
  ...ownKeyRoutes,
  ...secretRoutes,
].sort((one, other) => Number(one.path.includes(':version')) - Number(other.path.includes(':version')));

/** A route with what its path says. */
export interface Destination {
  readonly route: Route;
  readonly name: string;
  readonly version: string;
}

/** Where a request goes; null when the stand-in has no such route. */
export function findRoute(method: string, segments: readonly string[]): Destination | null {
  for (const route of ROUTES) {
    const parameters = route.method === method ? match(route.path, segments) : null;
    if (parameters !== null) return { route, ...parameters };
  }
  return null;
}

/**
 * Checks that the caller may take the route and that the vault is not asked too often, and takes it.
 * @throws VaultError 404 for what the stand-in does not have, 403 for what the caller may not do, 429
 */
export async function takeRoute(
  request: VaultRequest,
  destination: Destination | null,
  principal: string,
  authorizer: Authorizer,
): Promise<VaultResponse> {
  if (!request.query.get('api-version')) {
    throw badParameter('The request has no api-version: add ?api-version=2025-07-01.');
  }
  if (destination === null) {
    throw new VaultError(
      404,
      'NotFound',
      `The Key Vault stand-in has no route ${request.method} /${request.segments.join('/')}: infra/local/vault/README.md lists what it does.`,
    );
  }
  const { route, name, version } = destination;
  const { vault } = request;
  if (name !== '') checkName(name);
  authorizer.check(principal, vault.name, route.action, resourceOf(route.path, name));
  vault.quota.request(route.operation, keyTypeOf(vault.store.get(name), version));
  return route.handle({ ...request, name, version });
}

function match(path: string, segments: readonly string[]): { name: string; version: string } | null {
  const pattern = path.slice(1).split('/');
  const parameters = { name: '', version: '' };
  // The latest version is asked for by an empty one at the end of the path.
  const given =
    pattern.at(-1) === ':version' && segments.length === pattern.length - 1 ? [...segments, ''] : segments;
  if (given.length !== pattern.length) return null;
  for (const [index, part] of pattern.entries()) {
    const segment = given[index] ?? '';
    if (part === ':name') parameters.name = segment;
    else if (part === ':version') parameters.version = segment;
    else if (part !== segment.toLowerCase()) return null;
  }
  return parameters;
}

/** Role assignments know an object by its live path, deleted or not. */
function resourceOf(path: string, name: string): string {
  const collection = path.split('/')[1]?.replace(/^deleted/, '') ?? '';
  return name === '' ? `/${collection}` : `/${collection}/${name}`;
}
