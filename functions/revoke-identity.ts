import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
import { identityIdOf } from '../shared/http/identity-json.ts';
import { readOptionalJsonBody } from '../shared/http/optional-body.ts';
import { revocationJson, revokeBody } from '../shared/http/revocation-json.ts';
import { revoke } from '../shared/use-cases/revoke.ts';

app.http('revoke-identity', {
  ...routeOf('revoke-identity'),
  authLevel: 'anonymous',
  handler: handled('revoke-identity', async ({ app: { deps }, request, run }) => {
    const { reason, instance, serialNumber } = await readOptionalJsonBody(request, revokeBody);
    const what = { instance: instance ?? null, serialNumber: serialNumber ?? null };
    return { jsonBody: revocationJson(await revoke(deps, run, identityIdOf(request), what, reason)) };
  }),
});
