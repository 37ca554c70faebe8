import { app } from '@azure/functions';
import { dryRunJson, taintBody } from '../shared/http/authority-json.ts';
import { readJsonBody } from '../shared/http/body.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { answerAccepted } from '../shared/http/operation-json.ts';
import { planTaint, taintByHand } from '../shared/use-cases/manage-taint.ts';

app.http('taint-authority', {
  ...routeOf('taint-authority'),
  authLevel: 'anonymous',
  handler: handled('taint-authority', async ({ app: { deps }, request, run }) => {
    const { dryRun, reason } = await readJsonBody(request, taintBody);
    const id = request.params['id'] ?? '';
    if (!dryRun) return answerAccepted(deps, await taintByHand(deps, run, id, reason));
    return { jsonBody: dryRunJson(request, await planTaint(deps, id), deps.policy.taintWaveSize) };
  }),
});
