import { z } from 'zod';
import { FLEET_CHAIN } from '../../domain/audit.ts';
import type { CrlState } from '../../domain/crl.ts';
import { groupBy } from '../../domain/group-by.ts';
import type { ListedRevocation, ListingNote } from '../../domain/listed-revocation.ts';
import type { IdentityId } from '../../domain/names.ts';
import { REVOCATION_REASONS } from '../../domain/revocation.ts';
import { shardOf } from '../../domain/sharding.ts';
import type { CrlStore } from '../../ports/crl-store.ts';
import type { Page, Stored } from '../../ports/identity-store.ts';
import { recordCodecs } from './record-rows.ts';
import { decodeKnown, instant, rowCodec } from './row-codec.ts';
import type { RowOperation, Table } from './table.ts';
import { noteKey } from './table-identity-store.ts';
import { AFTER_BAR, partitionName, walkRows } from './walk-rows.ts';

const v = z.literal(1);

const listed: z.ZodType<ListedRevocation> = z.object({
  v,
  identity: z.object({ cluster: z.string(), name: z.string() }),
  serialNumber: z.string(),
  authorityId: z.string(),
  notAfter: instant,
  revokedAt: instant,
  reason: z.enum(REVOCATION_REASONS),
  invalidityDate: instant.nullable(),
  isByRuleAlone: z.boolean(),
});

const state: z.ZodType<CrlState> = z.object({
  v,
  authorityId: z.string(),
  lastNumber: z.int(),
  published: z
    .object({
      number: z.int(),
      thisUpdate: instant,
      nextUpdate: instant,
      entries: z.int(),
      sha256: z.string(),
      size: z.int(),
      contentHash: z.string(),
      crossSerialNumbers: z.array(z.string()),
    })
    .nullable(),
});

const codecs = { listed: rowCodec('listed revocation', listed), state: rowCodec('revocation list', state) };

/** The states stand beside the authorities, in the partition of the fleet's rows. */
const FLEET_PARTITION = 'fleet';
const EVERYTHING = Number.POSITIVE_INFINITY;
/** What Azure Tables takes in one transaction. */
const ROWS = 100;

const listedPrefix = ({ cluster, name }: IdentityId) => `k|${cluster}|${name.toLowerCase()}|`;
const stateKey = (authorityId: string) => `crl|${authorityId}`;

/** What the revocation lists are made of, in the record's table, beside what it is about. */
export class TableCrlStore implements CrlStore {
  readonly #table: Table;
  readonly #shards: number;

  constructor(record: Table, shards: number) {
    this.#table = record;
    this.#shards = shards;
  }

  async notes(limit: number): Promise<readonly ListingNote[]> {
    const shards = Array.from({ length: this.#shards }, (_, shard) => partitionName(shard));
    const rows = await Promise.all(shards.map((shard) => this.#table.range(shard, 'u|', 'u}', limit)));
    return decodeKnown(rows.flat(), recordCodecs.note);
  }

  async removeNotes(notes: readonly ListingNote[]): Promise<void> {
    const byPartition = groupBy(notes, ({ revoked }) =>
      this.#partitionOf(revoked?.identity.cluster ?? FLEET_CHAIN),
    );
    for (const [partition, some] of byPartition) {
      const removals = some.map((note) => ({ op: 'remove', key: noteKey(note) }) as const);
      await this.#commitAll(partition, removals);
    }
  }

  async listed(id: IdentityId): Promise<readonly ListedRevocation[]> {
    const prefix = listedPrefix(id);
    const before = prefix.slice(0, -1) + AFTER_BAR;
    const rows = await this.#table.range(this.#partitionOf(id.cluster), prefix, before, EVERYTHING);
    return rows.map((row) => codecs.listed.decode(row));
  }

  changeListed(
    cluster: string,
    { put, remove }: { put: readonly ListedRevocation[]; remove: readonly ListedRevocation[] },
  ): Promise<void> {
    const key = ({ identity, serialNumber }: ListedRevocation) => listedPrefix(identity) + serialNumber;
    return this.#commitAll(this.#partitionOf(cluster), [
      ...put.map((value) => ({ op: 'put', key: key(value), ...codecs.listed.encode(value) }) as const),
      ...remove.map((value) => ({ op: 'remove', key: key(value) }) as const),
    ]);
  }

  allListed(position: { cursor?: string; limit: number }): Promise<Page<ListedRevocation>> {
    const shards = { from: 0, to: this.#shards - 1 };
    return walkRows(
      this.#table,
      'k',
      (rows) => rows.map((row) => codecs.listed.decode(row)),
      position,
      shards,
    );
  }

  async state(authorityId: string): Promise<Stored<CrlState> | null> {
    const row = await this.#table.get(FLEET_PARTITION, stateKey(authorityId));
    return row === null ? null : { value: codecs.state.decode(row), etag: row.etag };
  }

  async states(): Promise<readonly CrlState[]> {
    const rows = await this.#table.range(FLEET_PARTITION, 'crl|', 'crl}', EVERYTHING);
    return rows.map((row) => codecs.state.decode(row));
  }

  async insertState(value: CrlState): Promise<void> {
    const row = { key: stateKey(value.authorityId), ...codecs.state.encode(value) };
    await this.#table.commit(FLEET_PARTITION, [{ op: 'insert', ...row }]);
  }

  async replaceState(value: CrlState, etag: string): Promise<void> {
    const row = { key: stateKey(value.authorityId), ...codecs.state.encode(value) };
    await this.#table.commit(FLEET_PARTITION, [{ op: 'replace', ...row, etag }]);
  }

  async #commitAll(partition: string, operations: readonly RowOperation[]): Promise<void> {
    for (let at = 0; at < operations.length; at += ROWS) {
      await this.#table.commit(partition, operations.slice(at, at + ROWS));
    }
  }

  #partitionOf(cluster: string): string {
    return partitionName(shardOf(cluster, this.#shards));
  }
}
