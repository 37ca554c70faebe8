import { app } from '@azure/functions';
import { answerAuthority } from '../shared/http/authority-json.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { resumeTaint } from '../shared/use-cases/manage-taint.ts';

app.http('resume-taint', {
  ...routeOf('resume-taint'),
  authLevel: 'anonymous',
  handler: handled('resume-taint', async ({ app: { deps }, request, run }) =>
    answerAuthority(deps, await resumeTaint(deps, run, request.params['id'] ?? '')),
  ),
});
