import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
import { checkHealth } from '../shared/use-cases/check-health.ts';

app.http('health', {
  ...routeOf('health'),
  authLevel: 'anonymous',
  handler: handled('health', async ({ app: { deps } }) => {
    const { healthy, codes } = await checkHealth(deps);
    return { status: healthy ? 200 : 503, jsonBody: { status: healthy ? 'ok' : 'unavailable', codes } };
  }),
});
