import { app } from '@azure/functions';
import { answerAuthority } from '../shared/http/authority-json.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { cancelByHand } from '../shared/use-cases/manage-authorities.ts';

app.http('cancel-authority', {
  ...routeOf('cancel-authority'),
  authLevel: 'anonymous',
  handler: handled('cancel-authority', async ({ app: { deps }, request, run }) =>
    answerAuthority(deps, await cancelByHand(deps, run, request.params['id'] ?? '')),
  ),
});
