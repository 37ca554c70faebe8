import type { Identity } from '../domain/identity.ts';
import { clusterEvent } from './clusters.ts';
import type { Deps, Run } from './deps.ts';
import { isUnusedSuccessor, viewItems } from './get-operation.ts';
import { type LoginFile, readLoginFile } from './make-login-file.ts';
import { inPool } from './pool.ts';
import { recordLoginFiles } from './record-login-files.ts';
import { withRememberedSecrets } from './remembered-secrets.ts';
import { readOperation } from './start-operation.ts';

/**
 * The login files of the tokens that an operation made for agents, as long as nobody has used them: the same ones at each
 * call. That they were handed out is written into the audit log before they are.
 * @param mayIssue whether the caller may hold the credentials of an identity; others are left out
 * @throws EverleafError NotFound
 */
export async function operationLoginFiles(
  deps: Deps,
  run: Run,
  id: string,
  mayIssue: (identity: Identity) => Promise<boolean>,
): Promise<readonly LoginFile[]> {
  const operation = (await readOperation(deps, id)).value;
  const remembering = withRememberedSecrets(deps);
  const unused = (await viewItems(deps, operation)).filter(isUnusedSuccessor);
  const files = await inPool(unused, async ({ identity }) =>
    identity !== null && (await mayIssue(identity)) ? readLoginFile(remembering, identity) : null,
  );
  const told = files.flatMap((file) => (file === null ? [] : [file.name]));
  const items = files.filter((file) => file !== null);
  await recordLoginFiles(
    deps,
    run,
    operation.cluster,
    unused.flatMap(({ identity }) => (identity !== null && told.includes(identity.name) ? [identity] : [])),
  );
  await deps.identities.commit(operation.cluster, [
    clusterEvent(deps, run, 'login-files-issued', operation.cluster, {
      details: { operation: id, count: items.length },
    }),
  ]);
  return items;
}
