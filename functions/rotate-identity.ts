import { app } from '@azure/functions';
import { z } from 'zod';
import { parseBody, readBody } from '../shared/http/body.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { identityIdOf } from '../shared/http/identity-json.ts';
import { loginFileJson } from '../shared/http/login-file-json.ts';
import { issueLoginFile } from '../shared/use-cases/manage-identity.ts';

const body = z.strictObject({ cutOver: z.boolean().default(false) });

app.http('rotate-identity', {
  ...routeOf('rotate-identity'),
  authLevel: 'anonymous',
  handler: handled('rotate-identity', async ({ app: { deps }, request, run }) => {
    const id = identityIdOf(request);
    const bytes = await readBody(request);
    const { cutOver } = bytes.length === 0 ? { cutOver: false } : parseBody(bytes, body);
    return { jsonBody: loginFileJson(await issueLoginFile(deps, run, id, cutOver)) };
  }),
});
