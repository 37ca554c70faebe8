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
    const body = await readOptionalJsonBody(request, revokeBody);
    const { reason, instance, serialNumber, invalidityDate = null } = body;
    const what = { instance: instance ?? null, serialNumber: serialNumber ?? null };
    const revocation = await revoke(deps, run, identityIdOf(request), what, reason, invalidityDate);
    return { jsonBody: revocationJson(revocation) };
  }),
});
