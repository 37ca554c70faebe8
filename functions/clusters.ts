import { app } from '@azure/functions';
import { z } from 'zod';
import { checkedVaultUrl } from '../shared/domain/cluster.ts';
import { readJsonBody } from '../shared/http/body.ts';
import { clusterJson, createdClusterJson } from '../shared/http/cluster-json.ts';
import { etagHeader } from '../shared/http/etag.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { readKeyedCall } from '../shared/http/idempotency.ts';
import { readLimit, readOffset } from '../shared/http/query.ts';
import { listClusters } from '../shared/use-cases/clusters.ts';
import { createCluster } from '../shared/use-cases/create-cluster.ts';

const body = z.strictObject({
  name: z.string(),
  nodes: z.array(z.string()).default([]),
  delivery: z.enum(['vault', 'agent']).optional(),
  vaultUrl: z.string().nullable().default(null),
});

app.http('clusters', {
  ...routeOf('clusters'),
  authLevel: 'anonymous',
  handler: handled('clusters', {
    GET: async ({ app: { deps }, request }) => {
      const [offset, limit] = [readOffset(request), readLimit(request)];
      const clusters = await listClusters(deps);
      const end = offset + limit;
      const items = clusters.slice(offset, end).map((cluster) => clusterJson(cluster, deps));
      return { jsonBody: { items, nextCursor: end < clusters.length ? String(end) : null } };
    },
    POST: async ({ app: { deps }, request, run }) => {
      const asked = await readJsonBody(request, body);
      const vaultUrl = asked.vaultUrl === null ? null : checkedVaultUrl(asked.vaultUrl, deps.site);
      const delivery = asked.delivery ?? deps.policy.workloadDelivery;
      const call = readKeyedCall(request, '/api/clusters', asked);
      const created = await createCluster(deps, run, { ...asked, delivery, vaultUrl }, call);
      const { name, revision } = created.cluster;
      return {
        status: 201,
        headers: { location: `/api/clusters/${name}`, etag: etagHeader(String(revision)) },
        jsonBody: createdClusterJson(created, deps),
      };
    },
  }),
});
