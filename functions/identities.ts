import { app } from '@azure/functions';
import { identityScope } from '../shared/domain/scope.ts';
import { readJsonBody } from '../shared/http/body.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import {
  clusterOf,
  identityJson,
  newIdentityBody,
  readNameCursor,
  tagOf,
  templateOf,
  wishesOf,
} from '../shared/http/identity-json.ts';
import { loginFileJson } from '../shared/http/login-file-json.ts';
import { readLimit } from '../shared/http/query.ts';
import { addIdentity, listIdentities } from '../shared/use-cases/manage-identity.ts';

app.http('identities', {
  ...routeOf('identities'),
  authLevel: 'anonymous',
  handler: handled('identities', {
    GET: async ({ app: { deps }, request }) => {
      const page = { after: readNameCursor(request), limit: readLimit(request) };
      const { items, nextCursor } = await listIdentities(deps, clusterOf(request), page);
      return { jsonBody: { items: items.map(identityJson), nextCursor } };
    },
    POST: async ({ app: { deps }, request, run }) => {
      const cluster = clusterOf(request);
      const body = await readJsonBody(request, newIdentityBody);
      const added = await addIdentity(deps, run, cluster, templateOf(body), wishesOf(body));
      return {
        status: 201,
        headers: { location: `/api${identityScope(added.identity)}`, etag: tagOf(deps, added.identity) },
        jsonBody: {
          identity: identityJson(added.identity),
          loginFile: added.loginFile === null ? null : loginFileJson(added.loginFile),
          warnings: added.warnings,
        },
      };
    },
  }),
});
