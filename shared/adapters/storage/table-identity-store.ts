import type { AuditEvent } from '../../domain/audit.ts';
import type { ClusterGate } from '../../domain/cluster-gate.ts';
import { toHex } from '../../domain/encoding.ts';
import { EverleafError, isEverleafError } from '../../domain/errors.ts';
import type { CertificateRecord, Identity } from '../../domain/identity.ts';
import type { Instance } from '../../domain/instance.ts';
import { addMs, MINUTE_MS, toMinute } from '../../domain/instants.ts';
import type { ListingNote } from '../../domain/listed-revocation.ts';
import type { IdentityId } from '../../domain/names.ts';
import type { CertificateRevocation } from '../../domain/revocation.ts';
import { shardOf } from '../../domain/sharding.ts';
import type { TokenRecord } from '../../domain/token.ts';
import type {
  Change,
  DueRow,
  IdentityStore,
  IssuanceRecord,
  Owner,
  Page,
  Stored,
} from '../../ports/identity-store.ts';
import { recordCodecs } from './record-rows.ts';
import { decodeKnown, type RowCodec } from './row-codec.ts';
import type { RowOperation, StoredRow, Table } from './table.ts';
import { AFTER_BAR, partitionName, type WalkPosition, walkRows } from './walk-rows.ts';

/** Rows of one answer; far more than one transaction or one page of a status needs. */
const EVERYTHING = Number.POSITIVE_INFINITY;
/** Tries to count an event: whoever loses all of them is one of many that are counted in the same row. */
const TRIES = 5;

/** Row keys, as they sort: the kind first, so that each kind is a range of its own. */
const keys = {
  identity: ({ cluster, name }: IdentityId) => `i|${cluster}|${name.toLowerCase()}`,
  token: (tokenId: string) => `t|${tokenId}`,
  certificate: (id: IdentityId, serial: string) => `c|${id.cluster}|${id.name.toLowerCase()}|${serial}`,
  instance: (id: IdentityId, instance: string) => `n|${id.cluster}|${id.name.toLowerCase()}|${instance}`,
  revocation: (id: IdentityId, serial: string) => `s|${id.cluster}|${id.name.toLowerCase()}|${serial}`,
  issuance: (credential: string, spkiHash: string) => `l|${credential}|${spkiHash}`,
  gate: (cluster: string, slot: number) => `g|${cluster}|${String(slot).padStart(2, '0')}`,
  event: (time: Date, id: string) => `o|${time.toISOString()}|${id}`,
  note: noteKey,
};

/**
 * The record of identities in tables. One table holds the rows of every cluster in the cluster's partition; two
 * others, spread by their first digits, say who owns a serial number and a key.
 */
export class TableIdentityStore implements IdentityStore {
  readonly #record: Table;
  readonly #serials: Table;
  readonly #keys: Table;
  readonly #shards: number;

  constructor(tables: { record: Table; serials: Table; keys: Table }, shards: number) {
    this.#record = tables.record;
    this.#serials = tables.serials;
    this.#keys = tables.keys;
    this.#shards = shards;
  }

  async commit(cluster: string, changes: readonly Change[]): Promise<void> {
    assertOwnChain(cluster, changes);
    await this.#record.commit(this.#partitionOf(cluster), changes.map(rowOperation));
  }

  identity(id: IdentityId): Promise<Stored<Identity> | null> {
    return this.#read(this.#partitionOf(id.cluster), keys.identity(id), recordCodecs.identity);
  }

  identities(options: { cluster?: string; cursor?: string; limit: number }): Promise<Page<Identity>> {
    const { cluster } = options;
    const shard = cluster === undefined ? undefined : shardOf(cluster, this.#shards);
    return this.#walk(cluster === undefined ? 'i' : `i|${cluster}`, recordCodecs.identity, options, shard);
  }

  instance(id: IdentityId, instance: string): Promise<Stored<Instance> | null> {
    const key = keys.instance(id, instance);
    return this.#read(this.#partitionOf(id.cluster), key, recordCodecs.instance);
  }

  async instances(
    id: IdentityId,
    page: { readonly after: string | null; readonly limit: number } = { after: null, limit: EVERYTHING },
  ): Promise<readonly Instance[]> {
    const prefix = keys.instance(id, '');
    // `!` sorts before every character that a key may go on with.
    const from = page.after === null ? prefix : `${prefix}${page.after}!`;
    const found: Instance[] = [];
    for (let next = from; found.length < page.limit; ) {
      const wanted = page.limit - found.length;
      const rows = await this.#record.range(
        this.#partitionOf(id.cluster),
        next,
        prefix.slice(0, -1) + AFTER_BAR,
        wanted,
      );
      found.push(...decodeKnown(rows, recordCodecs.instance));
      if (rows.length < wanted) break;
      next = `${rows.at(-1)?.key}!`;
    }
    return found;
  }

  async revocations(id: IdentityId): Promise<readonly CertificateRevocation[]> {
    const rows = await this.#below(id.cluster, keys.revocation(id, ''));
    return rows.map((row) => recordCodecs.revocation.decode(row));
  }

  token(tokenId: Uint8Array): Promise<Stored<TokenRecord> | null> {
    const partition = partitionName((tokenId[0] ?? 0) % this.#shards);
    return this.#read(partition, keys.token(toHex(tokenId)), recordCodecs.token);
  }

  tokenShard(cluster: string): number {
    return shardOf(cluster, this.#shards);
  }

  async certificate(id: IdentityId, serialNumber: string): Promise<CertificateRecord | null> {
    const key = keys.certificate(id, serialNumber);
    return (await this.#read(this.#partitionOf(id.cluster), key, recordCodecs.certificate))?.value ?? null;
  }

  async certificates(id: IdentityId): Promise<readonly CertificateRecord[]> {
    return decodeKnown(await this.#below(id.cluster, keys.certificate(id, '')), recordCodecs.certificate);
  }

  issuance(cluster: string, credential: string, spkiHash: string): Promise<Stored<IssuanceRecord> | null> {
    return this.#read(this.#partitionOf(cluster), keys.issuance(credential, spkiHash), recordCodecs.issuance);
  }

  async due(until: Date, limit: number): Promise<readonly DueRow[]> {
    const nextMinute = toMinute(addMs(until, MINUTE_MS));
    const shards = Array.from({ length: this.#shards }, (_, shard) => partitionName(shard));
    const ranges = await Promise.all(
      shards.map((partition) => this.#record.range(partition, 'd|', `d|${nextMinute}`, limit)),
    );
    return decodeKnown(ranges.flat(), recordCodecs.due).sort((a, b) => a.dueAt.getTime() - b.dueAt.getTime());
  }

  dueRows(options: { cursor?: string; limit: number }): Promise<Page<DueRow>> {
    return this.#walk('d', recordCodecs.due, options);
  }

  async dueRow(cluster: string, key: string): Promise<DueRow | null> {
    return (await this.#read(this.#partitionOf(cluster), key, recordCodecs.due))?.value ?? null;
  }

  gate(cluster: string, slot: number): Promise<Stored<ClusterGate> | null> {
    return this.#read(this.#partitionOf(cluster), keys.gate(cluster, slot), recordCodecs.gate);
  }

  async gates(cluster: string): Promise<readonly Stored<ClusterGate>[]> {
    const rows = await this.#below(cluster, `g|${cluster}|`);
    return rows.map((row) => ({ value: recordCodecs.gate.decode(row), etag: row.etag }));
  }

  async countEvent(event: AuditEvent & { identity: IdentityId }): Promise<void> {
    const partition = this.#partitionOf(event.identity.cluster);
    const key = keys.event(event.time, event.id);
    for (let attempt = 1; ; attempt++) {
      const found = await this.#read(partition, key, recordCodecs.event);
      const value = found === null ? event : { ...found.value, count: found.value.count + event.count };
      const row = { key, ...recordCodecs.event.encode(value) };
      try {
        await this.#record.commit(partition, [
          found === null ? { op: 'insert', ...row } : { op: 'replace', ...row, etag: found.etag },
        ]);
        return;
      } catch (error) {
        if (!isEverleafError(error, 'Conflict') || attempt === TRIES) throw error;
      }
    }
  }

  claimSerial(serialNumber: string, owner: Owner): Promise<Owner> {
    return claim(this.#serials, serialNumber, owner);
  }

  async serialOwner(serialNumber: string): Promise<Owner | null> {
    const row = await this.#serials.get(serialNumber.slice(0, 2), serialNumber);
    return row === null ? null : recordCodecs.owner.decode(row);
  }

  claimKey(spkiHash: string, owner: Owner): Promise<Owner> {
    return claim(this.#keys, spkiHash, owner);
  }

  #partitionOf(cluster: string): string {
    return partitionName(shardOf(cluster, this.#shards));
  }

  /** The rows of a cluster below a key that ends with a bar. */
  #below(cluster: string, prefix: string): Promise<StoredRow[]> {
    const before = prefix.slice(0, -1) + AFTER_BAR;
    return this.#record.range(this.#partitionOf(cluster), prefix, before, EVERYTHING);
  }

  /** Rows whose keys begin with a prefix, of all partitions, or of one. */
  #walk<T>(prefix: string, codec: RowCodec<T>, position: WalkPosition, onlyShard?: number): Promise<Page<T>> {
    const shards = { from: onlyShard ?? 0, to: onlyShard ?? this.#shards - 1 };
    return walkRows(this.#record, prefix, (rows) => decodeKnown(rows, codec), position, shards);
  }

  async #read<T>(partition: string, key: string, codec: RowCodec<T>): Promise<Stored<T> | null> {
    const row = await this.#record.get(partition, key);
    return row === null ? null : { value: codec.decode(row), etag: row.etag };
  }
}

/** An event in another cluster's partition would begin a second chain of the same name there. */
function assertOwnChain(cluster: string, changes: readonly Change[]): void {
  for (const change of changes) {
    if (change.kind === 'event' && change.value.identity.cluster !== cluster) {
      throw new EverleafError(
        'Internal',
        `Cannot write an event of "${change.value.identity.cluster}" with a change of "${cluster}".`,
      );
    }
  }
}

/** Notes for the revocation lists, oldest first. */
export function noteKey({ at, id }: ListingNote): string {
  return `u|${at.toISOString()}|${id}`;
}

/** The row that a change writes or removes. */
export function rowOperation(change: Change): RowOperation {
  if (change.op === 'remove') return { op: 'remove', key: change.key };
  const codec = recordCodecs[change.kind] as RowCodec<Write['value']>;
  const written = { key: keyOf(change), ...codec.encode(change.value) };
  return change.op === 'replace'
    ? { op: 'replace', ...written, etag: change.etag }
    : { op: change.op, ...written };
}

type Write = Exclude<Change, { op: 'remove' }>;

function keyOf({ kind, value }: Write): string {
  switch (kind) {
    case 'identity':
      return keys.identity(value);
    case 'token':
      return keys.token(value.id);
    case 'certificate':
      return keys.certificate(value.identity, value.serialNumber);
    case 'instance':
      return keys.instance(value.identity, value.id);
    case 'issuance':
      return keys.issuance(value.credential, value.spkiHash);
    case 'revocation':
      return keys.revocation(value.identity, value.serialNumber);
    case 'due':
      return value.key;
    case 'note':
      return keys.note(value);
    case 'gate':
      return keys.gate(value.cluster, value.slot);
    case 'event':
      return keys.event(value.time, value.id);
  }
}

/** Inserts, or finds who was first. Spread by the first two digits, so that no partition grows hot. */
async function claim(table: Table, value: string, owner: Owner): Promise<Owner> {
  const partition = value.slice(0, 2);
  const { identity, instance } = owner;
  const claimed = { identity: { cluster: identity.cluster, name: identity.name }, instance };
  try {
    await table.commit(partition, [{ op: 'insert', key: value, ...recordCodecs.owner.encode(claimed) }]);
    return claimed;
  } catch (error) {
    const row = isEverleafError(error, 'Conflict') ? await table.get(partition, value) : null;
    if (row === null) throw error;
    return recordCodecs.owner.decode(row);
  }
}
