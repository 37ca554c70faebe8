import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
import { loginFileJson } from '../shared/http/login-file-json.ts';
import { operationLoginFiles } from '../shared/use-cases/operation-login-files.ts';

app.http('operation-login-files', {
  ...routeOf('operation-login-files'),
  authLevel: 'anonymous',
  handler: handled('operation-login-files', async ({ app: { deps }, request, run, caller }) => {
    const files = await operationLoginFiles(
      deps,
      run,
      request.params['id'] ?? '',
      // Whoever holds the token of an Admin identity can become it.
      async ({ clientType, cluster, name }) =>
        clientType !== 'Admin' ||
        (await caller.may('admin/issue', `/clusters/${cluster}/identities/${name}`)).allowed,
    );
    return { jsonBody: { items: files.map(loginFileJson) } };
  }),
});
