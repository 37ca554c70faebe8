import { app } from '@azure/functions';
import { readJsonBody } from '../shared/http/body.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { criteriaOf, ruleBody, ruleJson } from '../shared/http/revocation-json.ts';
import { createRevocationRule } from '../shared/use-cases/revocation-rules.ts';

app.http('revocations', {
  ...routeOf('revocations'),
  authLevel: 'anonymous',
  handler: handled('revocations', {
    GET: async ({ app: { deps } }) => ({
      jsonBody: { items: (await deps.revocationRules.all()).map(ruleJson) },
    }),
    POST: async ({ app: { deps }, request, run }) => {
      const body = await readJsonBody(request, ruleBody);
      const rule = await createRevocationRule(deps, run, criteriaOf(body), body.reason);
      return {
        status: 201,
        headers: { location: `/api/revocations/${rule.id}` },
        jsonBody: ruleJson(rule),
      };
    },
  }),
});
