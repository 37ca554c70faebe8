import { app } from '@azure/functions';
import { answerPage, answerPut, assignmentBody, nameOf } from '../shared/http/access-json.ts';
import { readJsonBody } from '../shared/http/body.ts';
import { readIfMatch } from '../shared/http/etag.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { readLimit, readOffset } from '../shared/http/query.ts';
import { listAssignments, putAssignment } from '../shared/use-cases/role-assignments.ts';

app.http('role-assignments', {
  ...routeOf('role-assignments'),
  authLevel: 'anonymous',
  handler: handled('role-assignments', {
    GET: async ({ app: { deps }, request }) => {
      const [offset, limit] = [readOffset(request), readLimit(request)];
      return answerPage(await listAssignments(deps), offset, limit);
    },
    PUT: async ({ app: { deps }, request, run }) => {
      const body = await readJsonBody(request, assignmentBody);
      const id = nameOf('id', undefined, body.id);
      const stored = await putAssignment(deps, run, { ...body, id }, readIfMatch(request));
      return answerPut(stored, `/api/role-assignments/${id}`);
    },
  }),
});
