import { app } from '@azure/functions';
import { crlHeaders } from '../shared/http/crl-headers.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { isKnownTag } from '../shared/http/known-tag.ts';
import { readCrl } from '../shared/use-cases/read-crl.ts';

app.http('crl', {
  ...routeOf('crl'),
  authLevel: 'anonymous',
  handler: handled('crl', async ({ app: { deps }, request }) => {
    const { published, read } = await readCrl(deps, request.params['authority'] ?? '');
    const headers = crlHeaders(published, deps.clock.now());
    return isKnownTag(request, headers.etag) ? { status: 304, headers } : { body: await read(), headers };
  }),
});
