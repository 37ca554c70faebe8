import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
import { loginFileJson } from '../shared/http/login-file-json.ts';
import { mayIssueFor } from '../shared/use-cases/may-issue.ts';
import { operationLoginFiles } from '../shared/use-cases/operation-login-files.ts';

app.http('operation-login-files', {
  ...routeOf('operation-login-files'),
  authLevel: 'anonymous',
  handler: handled('operation-login-files', async ({ app: { deps }, request, run }) => {
    const files = await operationLoginFiles(deps, run, request.params['id'] ?? '', (identity) =>
      mayIssueFor(deps, run, identity),
    );
    return { jsonBody: { items: files.map(loginFileJson) } };
  }),
});
