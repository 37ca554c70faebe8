import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
import { identityIdOf, instanceJson } from '../shared/http/identity-json.ts';
import { listInstances } from '../shared/use-cases/manage-instances.ts';

app.http('instances', {
  ...routeOf('instances'),
  authLevel: 'anonymous',
  handler: handled('instances', async ({ app: { deps }, request }) => {
    const lines = await listInstances(deps, identityIdOf(request));
    return { jsonBody: { items: lines.map((line) => instanceJson(line, deps.clock.now())) } };
  }),
});
