import { app } from '@azure/functions';
import { z } from 'zod';
import { identityScope } from '../shared/domain/scope.ts';
import { parseBody, readBody } from '../shared/http/body.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { identityIdOf } from '../shared/http/identity-json.ts';
import { loginFileJson } from '../shared/http/login-file-json.ts';
import { readLiveIdentity } from '../shared/use-cases/live-identity.ts';
import { issueLoginFile } from '../shared/use-cases/manage-identity.ts';

const body = z.strictObject({ cutOver: z.boolean().default(false) });

app.http('rotate-identity', {
  ...routeOf('rotate-identity'),
  authLevel: 'anonymous',
  handler: handled('rotate-identity', async ({ app: { deps }, request, run, caller }) => {
    const id = identityIdOf(request);
    const bytes = await readBody(request);
    const { cutOver } = bytes.length === 0 ? { cutOver: false } : parseBody(bytes, body);
    const { clientType } = await readLiveIdentity(deps, id);
    if (clientType === 'Admin') await caller.demand('admin/issue', identityScope(id));
    return { jsonBody: loginFileJson(await issueLoginFile(deps, run, id, cutOver)) };
  }),
});
