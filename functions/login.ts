import { app } from '@azure/functions';
import { z } from 'zod';
import { readJsonBody } from '../shared/http/body.ts';
import { bundleId } from '../shared/http/bundle-id.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { presentedToken } from '../shared/http/presented-token.ts';
import { logInWithToken } from '../shared/use-cases/log-in-with-token.ts';

const body = z.object({
  token: z.string().optional(),
  csr: z.string().optional(),
  bundleId: bundleId.optional(),
});

app.http('login', {
  ...routeOf('login'),
  authLevel: 'anonymous',
  handler: handled('login', async ({ app: { deps }, request, run }) => {
    const said = await readJsonBody(request, body);
    const token = presentedToken(said.token, request.headers.get('authorization'));
    const input = { token, csr: said.csr ?? null, bundleId: said.bundleId ?? null };
    return { jsonBody: await logInWithToken(deps, run, input) };
  }),
});
