import { app } from '@azure/functions';
import { parseBody, readBody } from '../shared/http/body.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { identityIdOf } from '../shared/http/identity-json.ts';
import { revocationJson, revokeBody } from '../shared/http/revocation-json.ts';
import { revoke } from '../shared/use-cases/revoke.ts';

const NOTHING = new TextEncoder().encode('{}');

app.http('revoke-identity', {
  ...routeOf('revoke-identity'),
  authLevel: 'anonymous',
  handler: handled('revoke-identity', async ({ app: { deps }, request, run }) => {
    const bytes = await readBody(request);
    const { reason, instance, serialNumber } = parseBody(bytes.length === 0 ? NOTHING : bytes, revokeBody);
    const what = { instance: instance ?? null, serialNumber: serialNumber ?? null };
    return { jsonBody: revocationJson(await revoke(deps, run, identityIdOf(request), what, reason)) };
  }),
});
