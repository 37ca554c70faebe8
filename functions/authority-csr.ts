import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
import { readOutsideRequest } from '../shared/use-cases/outside-request.ts';

app.http('authority-csr', {
  ...routeOf('authority-csr'),
  authLevel: 'anonymous',
  handler: handled('authority-csr', async ({ app: { deps }, request, run }) => ({
    body: await readOutsideRequest(deps, run, request.params['id'] ?? ''),
    // RFC 5967 names the type for DER; openssl and the tools of other authorities read the PEM as it is.
    headers: { 'content-type': 'application/pkcs10' },
  })),
});
