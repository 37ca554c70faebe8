import type { AuditEvent } from '../domain/audit.ts';
import type { ClusterGate } from '../domain/cluster-gate.ts';
import type { CertificateAttempt, CertificateRecord, CredentialKind, Identity } from '../domain/identity.ts';
import type { Instance } from '../domain/instance.ts';
import type { ListingNote } from '../domain/listed-revocation.ts';
import type { IdentityId } from '../domain/names.ts';
import type { CertificateRevocation } from '../domain/revocation.ts';
import type { TokenRecord } from '../domain/token.ts';

/** A row as it was read. `etag` guards the next write: whoever wrote in between makes it fail with Conflict. */
export interface Stored<T> {
  readonly value: T;
  readonly etag: string;
}

/** A row of the due index: when something is to be done to one credential. */
export interface DueRow {
  readonly v: 1;
  /** `d|<yyyyMMddHHmm>|<cluster>|<name>|<kind>`: sorts by time, and names its credential. */
  readonly key: string;
  readonly identity: IdentityId;
  readonly kind: CredentialKind;
  /** To the second; the key has minutes only. */
  readonly dueAt: Date;
  /** End of the credential that is to be replaced; null while there is none. */
  readonly expiresAt: Date | null;
  /** True where all there is to do is to remind an agent or an operator, which asks nothing of the vaults. */
  readonly isReminder: boolean;
}

/** An issuance in progress or done: of two equal requests one signs and the other finds this. */
export interface IssuanceRecord {
  readonly v: 1;
  readonly identity: IdentityId;
  /** What was presented: the id of a token, or the serial number of the certificate that is renewed. */
  readonly credential: string;
  readonly spkiHash: string;
  readonly instance: string;
  /** When the request that is to sign began; later equal requests wait for it, or take it over after a while. */
  readonly startedAt: Date;
  readonly attempt: CertificateAttempt;
  readonly finishedAt: Date | null;
}

/** One change of a transaction. Inserts fail on an existing row, replaces and removals on another etag. */
export type Change =
  | { readonly op: 'insert'; readonly kind: 'identity'; readonly value: Identity }
  | { readonly op: 'replace'; readonly kind: 'identity'; readonly value: Identity; readonly etag: string }
  | { readonly op: 'insert'; readonly kind: 'token'; readonly value: TokenRecord }
  | { readonly op: 'replace'; readonly kind: 'token'; readonly value: TokenRecord; readonly etag: string }
  | { readonly op: 'insert'; readonly kind: 'certificate'; readonly value: CertificateRecord }
  | { readonly op: 'insert'; readonly kind: 'instance'; readonly value: Instance }
  | { readonly op: 'replace'; readonly kind: 'instance'; readonly value: Instance; readonly etag: string }
  | { readonly op: 'insert'; readonly kind: 'issuance'; readonly value: IssuanceRecord }
  | {
      readonly op: 'replace';
      readonly kind: 'issuance';
      readonly value: IssuanceRecord;
      readonly etag: string;
    }
  | { readonly op: 'put'; readonly kind: 'revocation'; readonly value: CertificateRevocation }
  | { readonly op: 'put'; readonly kind: 'note'; readonly value: ListingNote }
  | { readonly op: 'put'; readonly kind: 'due'; readonly value: DueRow }
  | { readonly op: 'remove'; readonly kind: 'due'; readonly identity: IdentityId; readonly key: string }
  | { readonly op: 'insert'; readonly kind: 'gate'; readonly value: ClusterGate }
  | { readonly op: 'replace'; readonly kind: 'gate'; readonly value: ClusterGate; readonly etag: string }
  | { readonly op: 'insert'; readonly kind: 'event'; readonly value: AuditEvent & { identity: IdentityId } };

/** The change that writes an event beside what it tells. */
export type EventChange = Extract<Change, { readonly kind: 'event' }>;

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** Who a key or a serial number belongs to. */
export interface Owner {
  readonly identity: IdentityId;
  readonly instance: string;
}

/**
 * The record of identities. One cluster lives in one partition, so that what belongs together changes together.
 * 1. `commit` makes all changes of one cluster or none. Conflict: a row was changed since it was read, or exists that
 *    should be inserted; read again and repeat the step. A `remove` of a row that is gone changes nothing.
 *    An event belongs to the chain of its own cluster, which must be the commit's: Internal otherwise.
 * 2. What `commit` has acknowledged every later read shows.
 * 3. Reads answer null for a row that is not there, and fail with UnknownRecordVersion for one that a newer program
 *    wrote; lists leave such rows out.
 * 4. `token` is one point read: the id tells the partition. It takes any 16 bytes.
 * 5. `due` reads every partition's rows due at `until` or before, oldest first, `limit` of each partition at most; its
 *    cost grows with what is due, never with the fleet.
 * 6. `claimSerial` and `claimKey` give a value to the first owner that asks and answer who owns it. Both last, and
 *    `serialOwner` answers who owns a serial number without claiming it.
 * 7. `dueRows` lists the whole index page by page, and `dueRow` reads one row of a cluster by its key: for whoever checks
 *    the index against the record. `due` is for everybody else.
 * 8. `countEvent` adds an event's count to the unsealed event of the same cluster, time and id, and writes the event when
 *    there is none; everything but the count stays as it was written first. Many at once may lose their race: after a few
 *    tries it fails with Conflict and has counted nothing.
 * 9. `revocations` answers every certificate of an identity that was revoked by its serial number. A row of a newer program
 *    fails it with UnknownRecordVersion: what is revoked there must not pass for good.
 * 10. `gate` is one point read, `gates` one range read of all the gates of a cluster.
 * 11. `instances` answers lines in the order of their ids. A page of them costs what it has, never what there is.
 * Errors: StorageThrottled, StorageUnavailable (retryable), StorageAccessDenied, StorageRefused.
 */
export interface IdentityStore {
  commit(cluster: string, changes: readonly Change[]): Promise<void>;
  identity(id: IdentityId): Promise<Stored<Identity> | null>;
  identities(options: { cluster?: string; cursor?: string; limit: number }): Promise<Page<Identity>>;
  /** One point read, however many lines the identity has. */
  instance(id: IdentityId, instance: string): Promise<Stored<Instance> | null>;
  /**
   * @param page the lines behind the one that is named, as many as are wanted at most; all of them when it is left out
   */
  instances(
    id: IdentityId,
    page?: { readonly after: string | null; readonly limit: number },
  ): Promise<readonly Instance[]>;
  token(tokenId: Uint8Array): Promise<Stored<TokenRecord> | null>;
  certificate(id: IdentityId, serialNumber: string): Promise<CertificateRecord | null>;
  /** Every certificate that was issued to an identity: for whoever must not miss one, however long that takes. */
  certificates(id: IdentityId): Promise<readonly CertificateRecord[]>;
  issuance(cluster: string, credential: string, spkiHash: string): Promise<Stored<IssuanceRecord> | null>;
  revocations(id: IdentityId): Promise<readonly CertificateRevocation[]>;
  /** Whose a serial number is; null for one that was never claimed. */
  serialOwner(serialNumber: string): Promise<Owner | null>;
  due(until: Date, limit: number): Promise<readonly DueRow[]>;
  dueRows(options: { cursor?: string; limit: number }): Promise<Page<DueRow>>;
  dueRow(cluster: string, key: string): Promise<DueRow | null>;
  gate(cluster: string, slot: number): Promise<Stored<ClusterGate> | null>;
  gates(cluster: string): Promise<readonly Stored<ClusterGate>[]>;
  countEvent(event: AuditEvent & { identity: IdentityId }): Promise<void>;
  claimSerial(serialNumber: string, owner: Owner): Promise<Owner>;
  claimKey(spkiHash: string, owner: Owner): Promise<Owner>;
  /** A new token id's first byte for an identity of this cluster, so that `token` finds its partition. */
  tokenShard(cluster: string): number;
}
