import { z } from 'zod';
import { AUTHORITY_STATES, type Authority } from '../../domain/authority.ts';
import type { AuthorityCensus } from '../../domain/authority-census.ts';
import { CLUSTER_STATES, type Cluster } from '../../domain/cluster.ts';
import { EverleafError, isEverleafError } from '../../domain/errors.ts';
import type { BundleRecord, Deployment, FleetChange, FleetStore, TimerRun } from '../../ports/fleet-store.ts';
import type { Stored } from '../../ports/identity-store.ts';
import { bytes, decodeKnown, instant, type RowCodec, rowCodec } from './row-codec.ts';
import type { RowOperation, StoredRow, Table } from './table.ts';

const v = z.literal(1);

/** What a certificate's life could be set to at most when authorities had no note of it. */
const LONGEST_LEAF_DAYS = 365;

const deployment: z.ZodType<Deployment> = z.object({
  v,
  createdAt: instant,
  shards: z.int(),
  rotationKeyVersion: z.string().nullable(),
  activeAuthorityId: z.string().nullable(),
  nextAuthorityId: z.string().nullable().default(null),
  deliveredBundleId: z.string().nullable(),
  readyAt: instant.nullable(),
  lastBackupAt: instant.nullable().default(null),
  restoredAt: instant.nullable().default(null),
});

const crossCertificate = z.object({
  issuerId: z.string(),
  serialNumber: z.string(),
  notBefore: instant,
  notAfter: instant,
  certificate: bytes.nullable(),
});

const taint = z.object({
  reason: z.string(),
  requestedBy: z.string(),
  pausedAt: instant.nullable(),
  operationId: z.string().nullable().default(null),
  waveAt: instant.nullable(),
  waves: z.int(),
  waveFrom: z.int().default(0),
  waveTo: z.int().default(0),
  isWaveDone: z.boolean().default(false),
  sweptAt: instant.nullable().default(null),
});

/** Fields with a default are missing in rows of the first versions, which knew one authority alone. */
const since = instant.nullable().default(null);

const authority: z.ZodType<Authority> = z.object({
  v,
  id: z.string(),
  state: z.enum(AUTHORITY_STATES),
  keyType: z.enum(['RSA-2048', 'RSA-3072', 'RSA-4096', 'EC-P256']),
  serialNumber: z.string(),
  issuedAt: instant,
  notBefore: instant,
  notAfter: instant,
  commonName: z.string(),
  spkiHash: z.string().nullable(),
  keyId: z.string().nullable(),
  certificate: bytes.nullable(),
  vaultVersion: z.string().nullable(),
  predecessorId: z.string().nullable().default(null),
  crossCertificates: z.array(crossCertificate).default([]),
  issuers: z.array(bytes).default([]),
  // The longest that the first versions' settings allow.
  leafValidityDays: z.int().default(LONGEST_LEAF_DAYS),
  publishedAt: since,
  activatedAt: since,
  retiringAt: since,
  retiredAt: since,
  taintedAt: since,
  revokedAt: since,
  keyDisabledAt: since,
  taint: taint.nullable().default(null),
});

const bundle: z.ZodType<BundleRecord> = z.object({
  v,
  id: z.string(),
  anchors: z.array(z.string()),
  authorityIds: z.array(z.string()),
  madeAt: instant,
});

const ack = z.object({
  total: z.int(),
  acknowledged: z.int(),
  missing: z.array(z.object({ cluster: z.string(), name: z.string(), lastSeenAt: instant.nullable() })),
});

const census: z.ZodType<AuthorityCensus> = z.object({
  v,
  authorityId: z.string(),
  asOf: instant,
  leaves: z.object({ live: z.int(), latestNotAfter: instant.nullable() }),
  verifiers: ack,
  agents: ack,
});

const cluster: z.ZodType<Cluster> = z.object({
  v,
  name: z.string(),
  kind: z.enum(['management', 'workload']),
  // Fields with a default are missing in rows of the first versions, which knew the management cluster alone.
  state: z.enum(CLUSTER_STATES).default('Active'),
  nodes: z.array(z.string()).default([]),
  delivery: z.enum(['vault', 'agent']).default('vault'),
  vaultUrl: z.string().nullable().default(null),
  createdAt: instant,
  updatedAt: instant,
  remindedAt: instant.nullable().default(null),
  createdBy: z.string().nullable().default(null),
  operationId: z.string().nullable().default(null),
  creationId: z.string().nullable().default(null),
  epoch: z.int().default(1),
  deliveredBundleId: z.string().nullable().default(null),
  revision: z.int().default(1),
});

const timerRun: z.ZodType<TimerRun> = z.object({
  v,
  name: z.string(),
  lastStartedAt: instant.nullable(),
  lastSuccessAt: instant.nullable(),
  lastErrorCode: z.string().nullable(),
});

const codecs = {
  deployment: rowCodec('deployment', deployment),
  authority: rowCodec('authority', authority),
  bundle: rowCodec('bundle', bundle),
  census: rowCodec('census', census),
  cluster: rowCodec('cluster', cluster),
  timerRun: rowCodec('timer', timerRun),
};

/** All rows of the fleet share one partition: there are few of them, and they are read together. */
const PARTITION = 'fleet';
const DEPLOYMENT_KEY = 'deployment';
/** Where the deployment's row is, for whoever carries the record to another place. */
export const DEPLOYMENT_ROW = { partition: PARTITION, key: DEPLOYMENT_KEY } as const;
/** Of the row that stands in its place while a backup is being restored. No program writes rows of this version. */
export const LOADING_VERSION = 0;
const EVERYTHING = Number.POSITIVE_INFINITY;

/** The rows that belong to no single cluster, in the same table as the record. */
export class TableFleetStore implements FleetStore {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async deployment(): Promise<Stored<Deployment> | null> {
    const row = await this.#table.get(PARTITION, DEPLOYMENT_KEY);
    if (row?.v === LOADING_VERSION) {
      throw new EverleafError(
        'NotReady',
        'A backup is being restored into the record: nothing goes on before `npm run restore` has ended well.',
        { retryable: true, retryAfterSeconds: 300 },
      );
    }
    return row === null ? null : { value: codecs.deployment.decode(row), etag: row.etag };
  }

  insertDeployment(value: Deployment): Promise<void> {
    return this.#insert(DEPLOYMENT_KEY, codecs.deployment, value);
  }

  replaceDeployment(value: Deployment, etag: string): Promise<void> {
    return this.#replace(DEPLOYMENT_KEY, codecs.deployment, value, etag);
  }

  authority(id: string): Promise<Stored<Authority> | null> {
    return this.#read(`authority|${id}`, codecs.authority);
  }

  async authorities(): Promise<readonly Authority[]> {
    return (await this.#list('authority')).map((row) => codecs.authority.decode(row));
  }

  insertAuthority(value: Authority): Promise<void> {
    return this.#insert(`authority|${value.id}`, codecs.authority, value);
  }

  replaceAuthority(value: Authority, etag: string): Promise<void> {
    return this.#replace(`authority|${value.id}`, codecs.authority, value, etag);
  }

  async bundles(): Promise<readonly BundleRecord[]> {
    const found = decodeKnown(await this.#list('bundle'), codecs.bundle);
    return found.sort((a, b) => a.madeAt.getTime() - b.madeAt.getTime());
  }

  async censuses(): Promise<readonly AuthorityCensus[]> {
    return decodeKnown(await this.#list('census'), codecs.census);
  }

  async putCensus(value: AuthorityCensus): Promise<void> {
    const row = { key: `census|${value.authorityId}`, ...codecs.census.encode(value) };
    await this.#table.commit(PARTITION, [{ op: 'put', ...row }]);
  }

  commit(changes: readonly FleetChange[]): Promise<void> {
    return this.#table.commit(PARTITION, changes.map(toOperation));
  }

  cluster(name: string): Promise<Stored<Cluster> | null> {
    return this.#read(`cluster|${name}`, codecs.cluster);
  }

  async clusters(): Promise<readonly Cluster[]> {
    return decodeKnown(await this.#list('cluster'), codecs.cluster);
  }

  insertCluster(value: Cluster): Promise<void> {
    return this.#insert(`cluster|${value.name}`, codecs.cluster, value);
  }

  replaceCluster(value: Cluster, etag: string): Promise<void> {
    return this.#replace(`cluster|${value.name}`, codecs.cluster, value, etag);
  }

  async timerRun(name: string): Promise<TimerRun | null> {
    return (await this.#read(`timer|${name}`, codecs.timerRun))?.value ?? null;
  }

  async putTimerRun(value: TimerRun): Promise<void> {
    const row = { key: `timer|${value.name}`, ...codecs.timerRun.encode(value) };
    await this.#table.commit(PARTITION, [{ op: 'put', ...row }]);
  }

  async #read<T>(key: string, codec: RowCodec<T>): Promise<Stored<T> | null> {
    const row = await this.#table.get(PARTITION, key);
    return row === null ? null : { value: codec.decode(row), etag: row.etag };
  }

  #list(kind: string): Promise<StoredRow[]> {
    return this.#table.range(PARTITION, `${kind}|`, `${kind}}`, EVERYTHING);
  }

  async #insert<T>(key: string, codec: RowCodec<T>, value: T): Promise<void> {
    try {
      await this.#table.commit(PARTITION, [{ op: 'insert', key, ...codec.encode(value) }]);
    } catch (error) {
      if (!isEverleafError(error, 'Conflict')) throw error;
      throw new EverleafError('AlreadyExists', `There is a row "${key}" already.`, { cause: error });
    }
  }

  async #replace<T>(key: string, codec: RowCodec<T>, value: T, etag: string): Promise<void> {
    await this.#table.commit(PARTITION, [{ op: 'replace', key, ...codec.encode(value), etag }]);
  }
}

function toOperation(change: FleetChange): RowOperation {
  switch (change.kind) {
    case 'authority': {
      const row = { key: `authority|${change.value.id}`, ...codecs.authority.encode(change.value) };
      return change.op === 'insert' ? { op: 'insert', ...row } : { op: 'replace', ...row, etag: change.etag };
    }
    case 'deployment':
      return {
        op: 'replace',
        key: DEPLOYMENT_KEY,
        ...codecs.deployment.encode(change.value),
        etag: change.etag,
      };
    case 'bundle':
      return { op: 'put', key: `bundle|${change.value.id}`, ...codecs.bundle.encode(change.value) };
  }
}
