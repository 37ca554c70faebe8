import { app } from '@azure/functions';
import { answerAuthority } from '../shared/http/authority-json.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { pauseTaint } from '../shared/use-cases/manage-taint.ts';

app.http('pause-taint', {
  ...routeOf('pause-taint'),
  authLevel: 'anonymous',
  handler: handled('pause-taint', async ({ app: { deps }, request, run }) =>
    answerAuthority(deps, await pauseTaint(deps, run, request.params['id'] ?? '')),
  ),
});
