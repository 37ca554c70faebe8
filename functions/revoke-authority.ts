import { app } from '@azure/functions';
import { answerAuthority, dryRunJson, forceBody } from '../shared/http/authority-json.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { readOptionalJsonBody } from '../shared/http/optional-body.ts';
import { planRevocation, revokeByHand } from '../shared/use-cases/manage-taint.ts';

app.http('revoke-authority', {
  ...routeOf('revoke-authority'),
  authLevel: 'anonymous',
  handler: handled('revoke-authority', async ({ app: { deps }, request, run }) => {
    const { dryRun, force } = await readOptionalJsonBody(request, forceBody);
    const id = request.params['id'] ?? '';
    if (!dryRun) return answerAuthority(deps, await revokeByHand(deps, run, id, force));
    return { jsonBody: dryRunJson(request, await planRevocation(deps, id), deps.policy.taintWaveSize) };
  }),
});
