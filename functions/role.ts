import { app } from '@azure/functions';
import { answerPut, answerStored, nameOf, roleBody } from '../shared/http/access-json.ts';
import { readJsonBody } from '../shared/http/body.ts';
import { readIfMatch } from '../shared/http/etag.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { deleteRole, putRole, readRole } from '../shared/use-cases/roles.ts';

app.http('role', {
  ...routeOf('role'),
  authLevel: 'anonymous',
  handler: handled('role', {
    GET: async ({ app: { deps }, request }) =>
      answerStored(await readRole(deps, request.params['role'] ?? '')),
    PUT: async ({ app: { deps }, request, run }) => {
      const body = await readJsonBody(request, roleBody);
      const name = nameOf('name', request.params['role'], body.name);
      const stored = await putRole(deps, run, { ...body, name, builtIn: false }, readIfMatch(request));
      return answerPut(stored, `/api/roles/${stored.value.name}`);
    },
    DELETE: async ({ app: { deps }, request, run }) => {
      await deleteRole(deps, run, request.params['role'] ?? '', readIfMatch(request));
      return { status: 204 };
    },
  }),
});
