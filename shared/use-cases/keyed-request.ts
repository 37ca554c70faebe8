import { toHex } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import { addMs, DAY_MS } from '../domain/instants.ts';
import type { Operation } from '../domain/operation.ts';
import type { Deps, Run } from './deps.ts';

/** A request that carries an Idempotency-Key. */
export interface KeyedCall {
  readonly key: string;
  readonly method: string;
  readonly path: string;
  /** What was asked for: equal texts are equal requests. */
  readonly body: string;
}

/** How long a key is good for at least; the first timer after that forgets it. */
const KEPT_MS = DAY_MS;

/** An id whose first byte tells the partition of the cluster, as a token's does. */
export function newOperationId(deps: Pick<Deps, 'random' | 'identities'>, cluster: string): string {
  const id = deps.random.bytes(16);
  id[0] = deps.identities.tokenShard(cluster);
  return toHex(id);
}

/**
 * The id of the operation that a request stands for: a new one, or the one that the same request with the same
 * Idempotency-Key got before. Keys of different callers never meet. Whoever holds the id can repeat every step.
 * @throws EverleafError IdempotencyMismatch when the caller sent the key with another request before
 */
export async function claimOperationId(
  deps: Pick<Deps, 'random' | 'identities' | 'operations' | 'digest' | 'clock'>,
  run: Run,
  cluster: string,
  call: KeyedCall | null,
): Promise<string> {
  const operationId = newOperationId(deps, cluster);
  if (call === null) return operationId;
  const hash = (text: string) => toHex(deps.digest.sha256(new TextEncoder().encode(text)));
  const { method, path } = call;
  const wanted = {
    v: 1,
    keyHash: hash(JSON.stringify([run.actor.kind, run.actor.id, call.key])),
    method,
    path,
    bodyHash: hash(call.body),
    operationId,
    createdAt: deps.clock.now(),
  } as const;
  const known = await deps.operations.claimRequest(wanted);
  if (known.method !== method || known.path !== path || known.bodyHash !== wanted.bodyHash) {
    throw new EverleafError(
      'IdempotencyMismatch',
      `This Idempotency-Key was sent with another request before (${known.method} ${known.path}). Choose another key.`,
    );
  }
  return known.operationId;
}

/**
 * The operation that a request with an Idempotency-Key began before. Such a request is answered with it, however it
 * ended, and changes nothing.
 */
export async function operationOfKey(
  deps: Pick<Deps, 'operations'>,
  call: KeyedCall | null,
  operationId: string,
): Promise<Operation | null> {
  return call === null ? null : ((await deps.operations.operation(operationId))?.value ?? null);
}

/** Removes the requests whose keys nobody can expect to be known any more. */
export async function forgetOldRequests(deps: Pick<Deps, 'operations' | 'clock'>, run: Run): Promise<void> {
  const count = await deps.operations.forgetRequests(addMs(deps.clock.now(), -KEPT_MS));
  if (count > 0) run.log.write('info', `Forgot ${count} Idempotency-Keys of the days before.`);
}
