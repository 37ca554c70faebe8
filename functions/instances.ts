import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
import { identityIdOf, instanceJson } from '../shared/http/identity-json.ts';
import { readLimit } from '../shared/http/query.ts';
import { listInstances } from '../shared/use-cases/manage-instances.ts';

app.http('instances', {
  ...routeOf('instances'),
  authLevel: 'anonymous',
  handler: handled('instances', async ({ app: { deps }, request }) => {
    const page = { after: request.query.get('cursor'), limit: readLimit(request) };
    const { items, nextCursor } = await listInstances(deps, identityIdOf(request), page);
    const now = deps.clock.now();
    return { jsonBody: { items: items.map((line) => instanceJson(line, now)), nextCursor } };
  }),
});
