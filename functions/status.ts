import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
import { readLimit, readState } from '../shared/http/query.ts';
import { statusJson } from '../shared/http/status-json.ts';
import { getStatus } from '../shared/use-cases/get-status.ts';

app.http('status', {
  ...routeOf('status'),
  authLevel: 'anonymous',
  handler: handled('status', async ({ app: { deps }, request }) => {
    const status = await getStatus(deps, {
      cluster: request.query.get('cluster'),
      state: readState(request),
      limit: readLimit(request),
      cursor: request.query.get('cursor'),
    });
    return { jsonBody: statusJson(status) };
  }),
});
