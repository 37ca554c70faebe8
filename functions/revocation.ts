import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
import { deleteRevocationRule } from '../shared/use-cases/revocation-rules.ts';

app.http('revocation', {
  ...routeOf('revocation'),
  authLevel: 'anonymous',
  handler: handled('revocation', async ({ app: { deps }, request, run }) => {
    await deleteRevocationRule(deps, run, request.params['id'] ?? '');
    return { status: 204 };
  }),
});
