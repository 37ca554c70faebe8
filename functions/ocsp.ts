import { app } from '@azure/functions';
import { readBody } from '../shared/http/body.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { ocspResponse } from '../shared/http/ocsp.ts';
import { answerOcsp } from '../shared/use-cases/answer-ocsp.ts';

app.http('ocsp', {
  ...routeOf('ocsp'),
  authLevel: 'anonymous',
  handler: handled('ocsp', async ({ app: { deps }, request, run }) =>
    // The media type is not asked for: what is no request does not become one by its name.
    ocspResponse(await answerOcsp(deps, run, await readBody(request), false)),
  ),
});
