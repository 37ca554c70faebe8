import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
import { isKnownTag } from '../shared/http/known-tag.ts';
import { fingerprint } from '../shared/pki/bundle.ts';
import { readAuthorityCertificate } from '../shared/use-cases/read-crl.ts';

app.http('ca', {
  ...routeOf('ca'),
  authLevel: 'anonymous',
  handler: handled('ca', async ({ app: { deps }, request }) => {
    const certificate = await readAuthorityCertificate(deps, request.params['authority'] ?? '');
    const etag = `"${fingerprint(certificate)}"`;
    // It never changes; a day is for what a proxy may have kept of an answer that was cut short.
    const headers = {
      etag,
      'cache-control': 'public, max-age=86400',
      'content-type': 'application/pkix-cert',
    };
    return isKnownTag(request, etag) ? { status: 304, headers } : { body: certificate, headers };
  }),
});
