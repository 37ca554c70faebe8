import { app } from '@azure/functions';
import { dryRunBody, rollJson } from '../shared/http/authority-json.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { readOptionalJsonBody } from '../shared/http/optional-body.ts';
import { planRollNow, rollNow } from '../shared/use-cases/manage-authorities.ts';

app.http('roll-authorities', {
  ...routeOf('roll-authorities'),
  authLevel: 'anonymous',
  handler: handled('roll-authorities', async ({ app: { deps }, request, run }) => {
    const { dryRun } = await readOptionalJsonBody(request, dryRunBody);
    return { jsonBody: rollJson(dryRun ? await planRollNow(deps) : await rollNow(deps, run), dryRun) };
  }),
});
