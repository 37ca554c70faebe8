import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
import { identityIdOf, instanceJson } from '../shared/http/identity-json.ts';
import { unlockInstance } from '../shared/use-cases/manage-instances.ts';

app.http('unlock-instance', {
  ...routeOf('unlock-instance'),
  authLevel: 'anonymous',
  handler: handled('unlock-instance', async ({ app: { deps }, request, run }) => {
    const line = await unlockInstance(deps, run, identityIdOf(request), request.params['id'] ?? '');
    return { jsonBody: instanceJson(line, deps.clock.now()) };
  }),
});
