import type { Authority } from '../domain/authority.ts';
import type { AuthorityCensus } from '../domain/authority-census.ts';
import type { Cluster } from '../domain/cluster.ts';
import type { Stored } from './identity-store.ts';

/** What there is one of in a deployment: the pins that its first start decides once and for all. */
export interface Deployment {
  readonly v: 1;
  readonly createdAt: Date;
  /** Partitions that the record is spread over; fixed, because it decides where a cluster's rows are. */
  readonly shards: number;
  /** Version of the rotation key that tokens are derived from. */
  readonly rotationKeyVersion: string | null;
  readonly activeAuthorityId: string | null;
  /** The authority that is being prepared to follow it: whoever writes its id down first decides for all. */
  readonly nextAuthorityId: string | null;
  /** bundleId of the bundle that the client vault holds. */
  readonly deliveredBundleId: string | null;
  /** When the first start had done everything. */
  readonly readyAt: Date | null;
  /** When the newest backup was begun. */
  readonly lastBackupAt: Date | null;
  /** When the record was put back from a backup: what was issued and numbered after that backup is not known here. */
  readonly restoredAt: Date | null;
}

/** What a bundleId stood for: agents name the bundle that they hold, which may be any that there was. */
export interface BundleRecord {
  readonly v: 1;
  readonly id: string;
  /** SHA-256 of each trusted certificate, lower-case hex. */
  readonly anchors: readonly string[];
  readonly authorityIds: readonly string[];
  readonly madeAt: Date;
}

/** One change of a transaction of the fleet's rows. */
export type FleetChange =
  | { readonly op: 'insert'; readonly kind: 'authority'; readonly value: Authority }
  | { readonly op: 'replace'; readonly kind: 'authority'; readonly value: Authority; readonly etag: string }
  | { readonly op: 'replace'; readonly kind: 'deployment'; readonly value: Deployment; readonly etag: string }
  | { readonly op: 'put'; readonly kind: 'bundle'; readonly value: BundleRecord };

/** When a timer last ran, written by itself: its silence is what an operator must notice. */
export interface TimerRun {
  readonly v: 1;
  readonly name: string;
  readonly lastStartedAt: Date | null;
  readonly lastSuccessAt: Date | null;
  readonly lastErrorCode: string | null;
}

/**
 * The rows that belong to no single cluster.
 * 1. `insert...` makes a row or fails with AlreadyExists; `replace...` fails with Conflict when the etag is not the
 *    row's; `putTimerRun` and `putCensus` write whatever was there.
 * 2. What was acknowledged every later read shows; null for a row that is not there.
 * 3. A row that a newer program wrote fails with UnknownRecordVersion. `clusters` leaves such rows out; `authorities`
 *    fails, because a trust bundle that lacks an authority is wrong.
 * 4. `commit` makes all changes or none: Conflict when a row to be replaced has another etag, or one to be inserted exists.
 * 5. `bundles` answers every bundle that was ever put, oldest first.
 * 6. `deployment` fails with NotReady while a backup is being restored, and `insertDeployment` with AlreadyExists: so no
 *    timer, login or first start goes on with half a record.
 * Errors as IdentityStore.
 */
export interface FleetStore {
  deployment(): Promise<Stored<Deployment> | null>;
  insertDeployment(value: Deployment): Promise<void>;
  replaceDeployment(value: Deployment, etag: string): Promise<void>;
  authority(id: string): Promise<Stored<Authority> | null>;
  authorities(): Promise<readonly Authority[]>;
  bundles(): Promise<readonly BundleRecord[]>;
  /** What was counted last, of every authority that was ever counted. */
  censuses(): Promise<readonly AuthorityCensus[]>;
  putCensus(value: AuthorityCensus): Promise<void>;
  commit(changes: readonly FleetChange[]): Promise<void>;
  insertAuthority(value: Authority): Promise<void>;
  replaceAuthority(value: Authority, etag: string): Promise<void>;
  cluster(name: string): Promise<Stored<Cluster> | null>;
  clusters(): Promise<readonly Cluster[]>;
  insertCluster(value: Cluster): Promise<void>;
  replaceCluster(value: Cluster, etag: string): Promise<void>;
  timerRun(name: string): Promise<TimerRun | null>;
  putTimerRun(value: TimerRun): Promise<void>;
}
