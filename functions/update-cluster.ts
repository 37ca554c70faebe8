import { app } from '@azure/functions';
import { z } from 'zod';
import { handled, routeOf } from '../shared/http/handle.ts';
import { readKeyedCall } from '../shared/http/idempotency.ts';
import { answerAccepted } from '../shared/http/operation-json.ts';
import { readOptionalJsonBody } from '../shared/http/optional-body.ts';
import { startRepair } from '../shared/use-cases/start-operation.ts';

const body = z.strictObject({});

app.http('update-cluster', {
  ...routeOf('update-cluster'),
  authLevel: 'anonymous',
  handler: handled('update-cluster', async ({ app: { deps }, request, run }) => {
    const cluster = request.params['cluster'] ?? '';
    const call = readKeyedCall(
      request,
      `/api/clusters/${cluster}/update`,
      await readOptionalJsonBody(request, body),
    );
    const wanted = { cluster, kind: 'update', credentials: ['cloud', 'kubelet'], force: true } as const;
    return answerAccepted(deps, await startRepair(deps, run, wanted, call));
  }),
});
