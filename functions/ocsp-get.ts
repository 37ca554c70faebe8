import { app } from '@azure/functions';
import { toHex } from '../shared/domain/encoding.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { cacheableOcspResponse, requestInPath } from '../shared/http/ocsp.ts';
import { answerOcsp } from '../shared/use-cases/answer-ocsp.ts';

app.http('ocsp-get', {
  ...routeOf('ocsp-get'),
  authLevel: 'anonymous',
  handler: handled('ocsp-get', async ({ app: { deps }, request, run }) => {
    const answer = await answerOcsp(deps, run, requestInPath(request.url), true);
    const etag = `"${toHex(deps.digest.sha256(answer.der))}"`;
    return cacheableOcspResponse(request, answer, etag, deps.clock.now());
  }),
});
