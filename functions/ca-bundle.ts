import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
import { isKnownTag } from '../shared/http/known-tag.ts';
import { readTrustBundle } from '../shared/use-cases/authorities.ts';

app.http('ca-bundle', {
  ...routeOf('ca-bundle'),
  authLevel: 'anonymous',
  handler: handled('ca-bundle', async ({ app: { deps }, request }) => {
    const bundle = await readTrustBundle(deps);
    const etag = `"${bundle.id}"`;
    const headers = {
      etag,
      'cache-control': 'public, max-age=300',
      'content-type': 'application/x-pem-file',
    };
    return isKnownTag(request, etag) ? { status: 304, headers } : { body: bundle.pem, headers };
  }),
});
