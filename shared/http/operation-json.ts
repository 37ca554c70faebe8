import type { HttpResponseInit } from '@azure/functions';
import { FLEET_CHAIN } from '../domain/audit.ts';
import { toInstant } from '../domain/instants.ts';
import type { Operation } from '../domain/operation.ts';
import type { Deps } from '../use-cases/deps.ts';
import { getOperation, type OperationView } from '../use-cases/get-operation.ts';

/** When it is worth looking again: workers take some seconds for one renewal. */
const LOOK_AGAIN_SECONDS = 5;
/** Items that the answer to the request itself shows. */
const FIRST_PAGE = { limit: 100, offset: 0 };

/** The body of `GET /api/operations/{id}`. */
export function operationJson(view: OperationView) {
  const { operation, state, counts, items, nextCursor, hasLoginFiles } = view;
  return {
    id: operation.id,
    kind: operation.kind,
    cluster: operation.cluster === FLEET_CHAIN ? null : operation.cluster,
    requestedBy: operation.requestedBy,
    requestedAt: toInstant(operation.requestedAt),
    finishedAt: operation.finishedAt === null ? null : toInstant(operation.finishedAt),
    state,
    counts,
    items: items.map(({ item, progress }) => ({
      cluster: item.cluster ?? operation.cluster,
      name: item.name,
      credential: item.credential,
      state: progress.state,
      at: progress.at === null ? null : toInstant(progress.at),
      code: progress.code,
      nextStep: progress.nextStep,
    })),
    nextCursor,
    loginFiles: hasLoginFiles ? `/api/operations/${operation.id}/login-files` : null,
  };
}

/** The answer to a request that began an operation, or that found the one it had begun. */
export async function answerAccepted(deps: Deps, { id }: Operation): Promise<HttpResponseInit> {
  return {
    status: 202,
    headers: { location: `/api/operations/${id}`, 'retry-after': String(LOOK_AGAIN_SECONDS) },
    jsonBody: operationJson(await getOperation(deps, id, FIRST_PAGE)),
  };
}
