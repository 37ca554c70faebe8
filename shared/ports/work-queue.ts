import type { CredentialKind } from '../domain/identity.ts';
import type { IdentityId } from '../domain/names.ts';

/** One renewal to be done. `generation` is the credential's when it was planned: a later one means it is done. */
export interface WorkItem {
  readonly v: 1;
  readonly identity: IdentityId;
  readonly kind: CredentialKind;
  readonly generation: number;
  readonly operationId?: string;
}

/** An operation that is to be begun, or gone on with. */
export interface OperationMessage {
  readonly v: 1;
  readonly type: 'operation';
  readonly operationId: string;
}

/** Revocation lists may have to be published before the timer comes to it. */
export interface ListsMessage {
  readonly v: 1;
  readonly type: 'publish-crl';
}

/**
 * The queue between the scan and the workers.
 * 1. A sent item, or operation, is delivered at least once, in no order, once it was sent.
 * 2. `announceLists` asks for the revocation lists to be looked at. It is delivered as the others are; nothing is lost when
 *    it is not, but time.
 * 3. `depth` counts approximately what waits, and what was given up on (the poison queue).
 * Errors: StorageThrottled, StorageUnavailable (retryable), StorageAccessDenied, StorageRefused.
 */
export interface WorkQueue {
  send(item: WorkItem): Promise<void>;
  sendOperation(operationId: string): Promise<void>;
  announceLists(): Promise<void>;
  depth(): Promise<{ waiting: number; poison: number }>;
}
