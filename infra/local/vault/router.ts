import type { Authorizer } from './authorization.ts';
import { certificateRoutes } from './certificates.ts';
import { badParameter, VaultError } from './errors.ts';
import { checkName } from './identifiers.ts';
import { keyRoutes } from './keys.ts';
import { pendingRoutes } from './pending.ts';
import type { Route, VaultRequest, VaultResponse } from './request.ts';
import { secretRoutes } from './secrets.ts';
import { softDeleteRoutes } from './soft-delete.ts';

/** Every route of the stand-in. Words of a path come before `:version`, so that "policy" is never a version. */
const ROUTES: readonly Route[] = [
  ...softDeleteRoutes,
  ...pendingRoutes,
  ...certificateRoutes,
  ...keyRoutes,
  ...secretRoutes,
].sort((one, other) => Number(one.path.includes(':version')) - Number(other.path.includes(':version')));

/**
 * Finds the route, checks that the caller may take it, and takes it.
 * @throws VaultError 404 for what the stand-in does not have, 403 for what the caller may not do
 */
export async function route(
  request: VaultRequest,
  principal: string,
  authorizer: Authorizer,
): Promise<VaultResponse> {
  if (!request.query.get('api-version')) {
    throw badParameter('The request has no api-version: add ?api-version=2025-07-01.');
  }
  for (const candidate of ROUTES) {
    const parameters = candidate.method === request.method ? match(candidate.path, request.segments) : null;
    if (parameters === null) continue;
    const { name, version } = parameters;
    if (name !== '') checkName(name);
    authorizer.check(principal, request.vault.name, candidate.action, resourceOf(candidate.path, name));
    return candidate.handle({ ...request, name, version });
  }
  throw new VaultError(
    404,
    'NotFound',
    `The Key Vault stand-in has no route ${request.method} /${request.segments.join('/')}: infra/local/vault/README.md lists what it does.`,
  );
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
