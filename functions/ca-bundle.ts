import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
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
    const known = request.headers.get('if-none-match')?.split(',') ?? [];
    const isKnown = known.some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')));
    return isKnown ? { status: 304, headers } : { body: bundle.pem, headers };
  }),
});
