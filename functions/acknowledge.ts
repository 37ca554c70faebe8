import { app } from '@azure/functions';
import { z } from 'zod';
import { parseBody, readBody } from '../shared/http/body.ts';
import { bundleId } from '../shared/http/bundle-id.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { proveCaller } from '../shared/http/proof.ts';
import { acknowledgeBundle } from '../shared/use-cases/acknowledge-bundle.ts';

const body = z.object({ bundleId });

app.http('acknowledge', {
  ...routeOf('acknowledge'),
  authLevel: 'anonymous',
  handler: handled('acknowledge', async (call) => {
    const bytes = await readBody(call.request);
    const said = parseBody(bytes, body);
    const { record } = await proveCaller(call, bytes);
    return { jsonBody: await acknowledgeBundle(call.app.deps, call.run, record, said.bundleId) };
  }),
});
