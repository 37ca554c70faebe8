import { app } from '@azure/functions';
import { z } from 'zod';
import { toInstant } from '../shared/domain/instants.ts';
import { parseBody, readBody } from '../shared/http/body.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { proveCaller } from '../shared/http/proof.ts';
import { runAs } from '../shared/use-cases/proven-caller.ts';
import { rotateWithProof } from '../shared/use-cases/rotate-with-proof.ts';

const body = z.strictObject({});

app.http('rotate-token', {
  ...routeOf('rotate-token'),
  authLevel: 'anonymous',
  handler: handled('rotate-token', async (call) => {
    const bytes = await readBody(call.request);
    const { identity, record } = await proveCaller(call, bytes);
    if (bytes.length > 0) parseBody(bytes, body);
    const { token, text } = await rotateWithProof(call.app.deps, runAs(call.run, identity), record);
    return { jsonBody: { token: text.reveal(), expiresAt: toInstant(token.expiresAt) } };
  }),
});
