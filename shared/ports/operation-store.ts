import type { Operation, OperationItem } from '../domain/operation.ts';
import type { EventChange, Stored } from './identity-store.ts';

/** What an Idempotency-Key was first sent with: the same request again is answered with the same operation. */
export interface KeyedRequest {
  readonly v: 1;
  /** SHA-256 of caller and key, 64 hexadecimal digits: the key itself is kept nowhere. */
  readonly keyHash: string;
  readonly method: string;
  readonly path: string;
  /** SHA-256 of the body, 64 hexadecimal digits. */
  readonly bodyHash: string;
  readonly operationId: string;
  readonly createdAt: Date;
}

/**
 * Operations, in the partition of their cluster.
 * 1. `insert` writes the operation, all of its items, its place in the index of open ones and the event, or nothing.
 *    AlreadyExists when there is one of this id. An operation whose `finishedAt` is set is not open. One about the whole
 *    fleet may have any number of items; one about a cluster as many as fit into a transaction, else InvalidInput.
 * 2. `finish` replaces the operation, takes it out of the index and writes the event, or nothing. Conflict when the etag
 *    is not the row's.
 * 3. `items` answers them in the order in which they were written. They never change.
 * 4. `open` lists the ids of the operations that are not finished, in no order; one range read for each partition.
 * 5. `claimRequest` keeps the first request of a key, and answers it to every later one. `forgetRequests` removes those
 *    made before a moment and answers how many there were.
 * 6. Reads answer null, or nothing, for what is not there, whatever the text of the id, and fail with
 *    UnknownRecordVersion for a row of a newer program; `open` leaves those out.
 * Errors as IdentityStore.
 */
export interface OperationStore {
  insert(operation: Operation, items: readonly OperationItem[], event: EventChange): Promise<void>;
  operation(id: string): Promise<Stored<Operation> | null>;
  items(id: string): Promise<readonly OperationItem[]>;
  finish(operation: Operation, etag: string, event: EventChange): Promise<void>;
  open(): Promise<readonly string[]>;
  claimRequest(request: KeyedRequest): Promise<KeyedRequest>;
  forgetRequests(before: Date): Promise<number>;
}
