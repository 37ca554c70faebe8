import { app } from '@azure/functions';
import { answerAuthority, dryRunJson, forceBody } from '../shared/http/authority-json.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { readOptionalJsonBody } from '../shared/http/optional-body.ts';
import { activateByHand, planActivation } from '../shared/use-cases/manage-authorities.ts';

app.http('activate-authority', {
  ...routeOf('activate-authority'),
  authLevel: 'anonymous',
  handler: handled('activate-authority', async ({ app: { deps }, request, run }) => {
    const { dryRun, force } = await readOptionalJsonBody(request, forceBody);
    const id = request.params['id'] ?? '';
    if (!dryRun) return answerAuthority(deps, await activateByHand(deps, run, id, force));
    return { jsonBody: dryRunJson(request, await planActivation(deps, id), deps.policy.taintWaveSize) };
  }),
});
