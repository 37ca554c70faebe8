import { app } from '@azure/functions';
import { z } from 'zod';
import { handled, routeOf } from '../shared/http/handle.ts';
import { identityIdOf } from '../shared/http/identity-json.ts';
import { loginFileJson } from '../shared/http/login-file-json.ts';
import { readOptionalJsonBody } from '../shared/http/optional-body.ts';
import { issueLoginFile } from '../shared/use-cases/manage-identity.ts';

const body = z.strictObject({ cutOver: z.boolean().default(false) });

app.http('rotate-identity', {
  ...routeOf('rotate-identity'),
  authLevel: 'anonymous',
  handler: handled('rotate-identity', async ({ app: { deps }, request, run }) => {
    const id = identityIdOf(request);
    const { cutOver } = await readOptionalJsonBody(request, body);
    return { jsonBody: loginFileJson(await issueLoginFile(deps, run, id, cutOver)) };
  }),
});
