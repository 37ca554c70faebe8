import { app } from '@azure/functions';
import { authoritiesJson } from '../shared/http/authority-json.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { listAuthorities } from '../shared/use-cases/list-authorities.ts';

app.http('authorities', {
  ...routeOf('authorities'),
  authLevel: 'anonymous',
  handler: handled('authorities', async ({ app: { deps } }) => ({
    jsonBody: authoritiesJson(await listAuthorities(deps), deps.policy.taintWaveSize),
  })),
});
