import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
import { planJson } from '../shared/http/plan-json.ts';
import { readInstant, readLimit, readOffset } from '../shared/http/query.ts';
import { getPlan } from '../shared/use-cases/get-plan.ts';

app.http('plan', {
  ...routeOf('plan'),
  authLevel: 'anonymous',
  handler: handled('plan', async ({ app: { deps }, request }) => {
    const plan = await getPlan(deps, {
      at: readInstant(request, 'at'),
      cluster: request.query.get('cluster'),
      limit: readLimit(request),
      offset: readOffset(request),
    });
    return { jsonBody: planJson(plan) };
  }),
});
