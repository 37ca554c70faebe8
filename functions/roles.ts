import { app } from '@azure/functions';
import { answerPage, answerPut, nameOf, roleBody } from '../shared/http/access-json.ts';
import { readJsonBody } from '../shared/http/body.ts';
import { readIfMatch } from '../shared/http/etag.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { readLimit, readOffset } from '../shared/http/query.ts';
import { listRoles, putRole } from '../shared/use-cases/roles.ts';

app.http('roles', {
  ...routeOf('roles'),
  authLevel: 'anonymous',
  handler: handled('roles', {
    GET: async ({ app: { deps }, request }) => {
      const [offset, limit] = [readOffset(request), readLimit(request)];
      return answerPage(await listRoles(deps), offset, limit);
    },
    PUT: async ({ app: { deps }, request, run }) => {
      const body = await readJsonBody(request, roleBody);
      const name = nameOf('name', undefined, body.name);
      const stored = await putRole(deps, run, { ...body, name, builtIn: false }, readIfMatch(request));
      return answerPut(stored, `/api/roles/${stored.value.name}`);
    },
  }),
});
