import { app } from '@azure/functions';
import { z } from 'zod';
import { handled, routeOf } from '../shared/http/handle.ts';
import { readKeyedCall } from '../shared/http/idempotency.ts';
import { answerAccepted } from '../shared/http/operation-json.ts';
import { readOptionalJsonBody } from '../shared/http/optional-body.ts';
import { planJson } from '../shared/http/plan-json.ts';
import { readLimit, readOffset } from '../shared/http/query.ts';
import { planRepairOf, startRepair } from '../shared/use-cases/start-operation.ts';

const body = z.strictObject({
  credentials: z
    .array(z.enum(['cloud', 'kubelet']))
    .min(1)
    .default(['cloud', 'kubelet']),
  force: z.boolean().default(false),
  dryRun: z.boolean().default(false),
});

app.http('renew-cluster', {
  ...routeOf('renew-cluster'),
  authLevel: 'anonymous',
  handler: handled('renew-cluster', async ({ app: { deps }, request, run }) => {
    const cluster = request.params['cluster'] ?? '';
    const { dryRun, force, ...asked } = await readOptionalJsonBody(request, body);
    const credentials = [...new Set(asked.credentials)].sort();
    const wanted = { cluster, kind: 'renew', credentials, force } as const;
    if (dryRun) {
      const page = { limit: readLimit(request), offset: readOffset(request) };
      return { jsonBody: planJson(await planRepairOf(deps, wanted, page)) };
    }
    const call = readKeyedCall(request, `/api/clusters/${cluster}/renew`, { credentials, force });
    return answerAccepted(deps, await startRepair(deps, run, wanted, call));
  }),
});
