import { app } from '@azure/functions';
import { z } from 'zod';
import { readJsonBody } from '../shared/http/body.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { presentedToken } from '../shared/http/presented-token.ts';
import { logInWithToken } from '../shared/use-cases/log-in-with-token.ts';

const body = z.object({ token: z.string().optional(), csr: z.string().optional() });

app.http('login', {
  ...routeOf('login'),
  authLevel: 'anonymous',
  handler: handled('login', async ({ app: { deps }, request, run }) => {
    const { token, csr } = await readJsonBody(request, body);
    const presented = presentedToken(token, request.headers.get('authorization'));
    return { jsonBody: await logInWithToken(deps, run, { token: presented, csr: csr ?? null }) };
  }),
});
