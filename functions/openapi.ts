import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
import { isKnownTag } from '../shared/http/known-tag.ts';
import { openApiText } from '../shared/http/openapi/document.ts';

app.http('openapi', {
  ...routeOf('openapi'),
  authLevel: 'anonymous',
  handler: handled('openapi', async ({ app: { deps }, request }) => {
    const { version } = deps.site;
    const headers = {
      etag: `"${version}"`,
      'cache-control': 'public, max-age=300',
      'content-type': 'application/json',
    };
    return isKnownTag(request, headers.etag)
      ? { status: 304, headers }
      : { body: openApiText(version), headers };
  }),
});
