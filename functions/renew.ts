import { app } from '@azure/functions';
import { z } from 'zod';
import { parseBody, readBody } from '../shared/http/body.ts';
import { bundleId } from '../shared/http/bundle-id.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { hasProof, proveCaller } from '../shared/http/proof.ts';
import { renewWithProof } from '../shared/use-cases/renew-with-proof.ts';

const body = z.object({ csr: z.string(), bundleId: bundleId.optional() });

app.http('renew', {
  ...routeOf('renew'),
  authLevel: 'anonymous',
  handler: handled('renew', async (call) => {
    const bytes = await readBody(call.request);
    const said = parseBody(bytes, body);
    const caller = hasProof(call) ? await proveCaller(call, bytes, { isRenewal: true }) : null;
    const input = { csr: said.csr, bundleId: said.bundleId ?? null, caller };
    return { jsonBody: await renewWithProof(call.app.deps, call.run, input) };
  }),
});
