import { app } from '@azure/functions';
import { accessCheckBody } from '../shared/http/access-json.ts';
import { readJsonBody } from '../shared/http/body.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { checkAccess } from '../shared/use-cases/check-access.ts';

app.http('access-check', {
  ...routeOf('access-check'),
  authLevel: 'anonymous',
  handler: handled('access-check', async ({ app: { deps }, request }) => {
    const {
      certificate = null,
      identity = null,
      action,
      scope,
    } = await readJsonBody(request, accessCheckBody);
    return { jsonBody: await checkAccess(deps, { certificate, identity, action, scope }) };
  }),
});
