import { app } from '@azure/functions';
import { readJsonBody } from '../shared/http/body.ts';
import { readIfMatch } from '../shared/http/etag.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { answerIdentity, identityChangeBody, identityIdOf, wishesOf } from '../shared/http/identity-json.ts';
import { deleteIdentity } from '../shared/use-cases/delete-identity.ts';
import { assertUnchanged, readLiveIdentity } from '../shared/use-cases/live-identity.ts';
import { changeIdentity } from '../shared/use-cases/manage-identity.ts';

app.http('identity', {
  ...routeOf('identity'),
  authLevel: 'anonymous',
  handler: handled('identity', {
    GET: async ({ app: { deps }, request }) =>
      answerIdentity(deps, await readLiveIdentity(deps, identityIdOf(request))),
    PATCH: async ({ app: { deps }, request, run }) => {
      const wishes = wishesOf(await readJsonBody(request, identityChangeBody));
      const ifMatch = readIfMatch(request);
      return answerIdentity(deps, await changeIdentity(deps, run, identityIdOf(request), wishes, ifMatch));
    },
    DELETE: async ({ app: { deps }, request, run }) => {
      const ifMatch = readIfMatch(request);
      await deleteIdentity(deps, run, identityIdOf(request), (identity) =>
        assertUnchanged(deps, identity, ifMatch),
      );
      return { status: 204 };
    },
  }),
});
