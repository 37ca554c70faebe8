import type { AuditEvent } from '../../domain/audit.ts';
import type { IdentityId } from '../../domain/names.ts';
import type { Change } from '../../ports/identity-store.ts';
import { TableIdentityStore } from './table-identity-store.ts';

/**
 * The record of identities, which tells of every event when it was written: whatever changes is written with its event, so
 * whoever counts what happens counts here, and counts nothing that did not.
 */
export class TellingIdentityStore extends TableIdentityStore {
  readonly #tell: (event: AuditEvent) => void;

  /** @param tell is told of an event after its transaction; it never throws */
  constructor(
    tables: ConstructorParameters<typeof TableIdentityStore>[0],
    shards: number,
    tell: (event: AuditEvent) => void,
  ) {
    super(tables, shards);
    this.#tell = tell;
  }

  override async commit(cluster: string, changes: readonly Change[]): Promise<void> {
    await super.commit(cluster, changes);
    for (const change of changes) if (change.kind === 'event') this.#tell(change.value);
  }

  override async countEvent(event: AuditEvent & { identity: IdentityId }): Promise<void> {
    await super.countEvent(event);
    this.#tell(event);
  }
}
