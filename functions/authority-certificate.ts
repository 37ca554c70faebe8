import { app } from '@azure/functions';
import { answerAuthority } from '../shared/http/authority-json.ts';
import { readJsonBody } from '../shared/http/body.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { outsideCertificateBody } from '../shared/http/outside-certificate-body.ts';
import { readOutsideCertificate } from '../shared/use-cases/outside-certificate.ts';
import { takeOutsideCertificate } from '../shared/use-cases/take-outside-certificate.ts';

app.http('authority-certificate', {
  ...routeOf('authority-certificate'),
  authLevel: 'anonymous',
  handler: handled('authority-certificate', async ({ app: { deps }, request, run }) => {
    const given = readOutsideCertificate(await readJsonBody(request, outsideCertificateBody));
    return answerAuthority(deps, await takeOutsideCertificate(deps, run, request.params['id'] ?? '', given));
  }),
});
