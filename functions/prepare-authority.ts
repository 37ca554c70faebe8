import { app } from '@azure/functions';
import { authorityJson } from '../shared/http/authority-json.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { prepareByHand } from '../shared/use-cases/manage-authorities.ts';

app.http('prepare-authority', {
  ...routeOf('prepare-authority'),
  authLevel: 'anonymous',
  handler: handled('prepare-authority', async ({ app: { deps }, run }) => ({
    jsonBody: authorityJson(await prepareByHand(deps, run), deps.policy.taintWaveSize),
  })),
});
