import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
import { operationJson } from '../shared/http/operation-json.ts';
import { readLimit, readOffset } from '../shared/http/query.ts';
import { settleOperation } from '../shared/use-cases/advance-operation.ts';
import { getOperation } from '../shared/use-cases/get-operation.ts';

app.http('operation', {
  ...routeOf('operation'),
  authLevel: 'anonymous',
  handler: handled('operation', async ({ app: { deps }, request, run }) => {
    const page = { limit: readLimit(request), offset: readOffset(request) };
    const id = request.params['id'] ?? '';
    await settleOperation(deps, run, id);
    return { jsonBody: operationJson(await getOperation(deps, id, page)) };
  }),
});
