import { app } from '@azure/functions';
import { answerPut, answerStored, assignmentBody, nameOf } from '../shared/http/access-json.ts';
import { readJsonBody } from '../shared/http/body.ts';
import { readIfMatch } from '../shared/http/etag.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { deleteAssignment, putAssignment, readAssignment } from '../shared/use-cases/role-assignments.ts';

app.http('role-assignment', {
  ...routeOf('role-assignment'),
  authLevel: 'anonymous',
  handler: handled('role-assignment', {
    GET: async ({ app: { deps }, request }) =>
      answerStored(await readAssignment(deps, request.params['id'] ?? '')),
    PUT: async ({ app: { deps }, request, run }) => {
      const body = await readJsonBody(request, assignmentBody);
      const id = nameOf('id', request.params['id'], body.id);
      const stored = await putAssignment(deps, run, { ...body, id }, readIfMatch(request));
      return answerPut(stored, `/api/role-assignments/${id}`);
    },
    DELETE: async ({ app: { deps }, request, run }) => {
      await deleteAssignment(deps, run, request.params['id'] ?? '', readIfMatch(request));
      return { status: 204 };
    },
  }),
});
