import { app } from '@azure/functions';
import { clusterJson } from '../shared/http/cluster-json.ts';
import { etagHeader, readIfMatch } from '../shared/http/etag.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { readKeyedCall } from '../shared/http/idempotency.ts';
import { answerAccepted } from '../shared/http/operation-json.ts';
import { readCluster } from '../shared/use-cases/clusters.ts';
import { deleteCluster } from '../shared/use-cases/delete-cluster.ts';

app.http('cluster', {
  ...routeOf('cluster'),
  authLevel: 'anonymous',
  handler: handled('cluster', {
    GET: async ({ app: { deps }, request }) => {
      const { value } = await readCluster(deps, request.params['cluster'] ?? '');
      return {
        headers: { etag: etagHeader(String(value.revision)) },
        jsonBody: clusterJson(value, deps),
      };
    },
    DELETE: async ({ app: { deps }, request, run }) => {
      const name = request.params['cluster'] ?? '';
      const call = readKeyedCall(request, `/api/clusters/${name}`, null);
      return answerAccepted(deps, await deleteCluster(deps, run, name, readIfMatch(request), call));
    },
  }),
});
