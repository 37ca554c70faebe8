import { z } from 'zod';
import type { Principal, PrincipalName, Role, RoleAssignment } from '../../domain/access.ts';
import { FLEET_CHAIN } from '../../domain/audit.ts';
import { toBase64Url } from '../../domain/encoding.ts';
import { shardOf } from '../../domain/sharding.ts';
import type { AccessChange, AccessStore } from '../../ports/access-store.ts';
import type { EventChange, Stored } from '../../ports/identity-store.ts';
import { decodeKnown, type RowCodec, rowCodec } from './row-codec.ts';
import type { RowOperation, StoredRow, Table } from './table.ts';
import { rowOperation } from './table-identity-store.ts';
import { partitionName } from './walk-rows.ts';

const role: z.ZodType<Role> = z.object({
  name: z.string(),
  actions: z.array(z.string()),
  notActions: z.array(z.string()),
  assignableScopes: z.array(z.string()),
  builtIn: z.literal(false),
});

const principal: z.ZodType<Principal> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('identity'),
    cluster: z.string(),
    name: z.string(),
    incarnation: z.int().default(1),
  }),
  z.object({ kind: z.literal('operator'), id: z.string() }),
]);

const assignment: z.ZodType<RoleAssignment> = z.object({
  id: z.string(),
  roleName: z.string(),
  scope: z.string(),
  principal,
});

const codecs = {
  role: rowCodec('role', role),
  assignment: rowCodec('role assignment', assignment),
  version: rowCodec('access version', z.object({})),
};

const VERSION_KEY = 'access|version';
const EVERYTHING = Number.POSITIVE_INFINITY;

const keys = {
  role: (name: string) => `access|role|${name.toLowerCase()}`,
  assignment: (id: string) => `access|assignment|${id}`,
  /** The same assignment once more, where all of one principal lie together. */
  ofPrincipal: (of: PrincipalName, id: string) => `access|of|${principalKey(of)}|${id}`,
};

/** An operator's id may hold characters that no row key can. */
function principalKey(of: PrincipalName): string {
  if (of.kind === 'identity') return `identity|${of.cluster}|${of.name.toLowerCase()}`;
  return `operator|${toBase64Url(Uint8Array.from(of.id, (character) => character.charCodeAt(0)))}`;
}

/**
 * The access rules in the record's table, in the partition of the fleet's own events: a transaction reaches no further
 * than one partition, and an event is written in the transaction of what it tells.
 */
export class TableAccessStore implements AccessStore {
  readonly #table: Table;
  readonly #partition: string;

  constructor(record: Table, shards: number) {
    this.#table = record;
    this.#partition = partitionName(shardOf(FLEET_CHAIN, shards));
  }

  async version(): Promise<string | null> {
    return (await this.#table.get(this.#partition, VERSION_KEY))?.etag ?? null;
  }

  role(name: string): Promise<Stored<Role> | null> {
    return this.#read(keys.role(name), codecs.role);
  }

  async roles(): Promise<readonly Role[]> {
    return decodeKnown(await this.#list(keys.role('')), codecs.role);
  }

  assignment(id: string): Promise<Stored<RoleAssignment> | null> {
    return this.#read(keys.assignment(id), codecs.assignment);
  }

  async assignments(): Promise<readonly RoleAssignment[]> {
    return decodeKnown(await this.#list(keys.assignment('')), codecs.assignment);
  }

  async assignmentsOf(of: PrincipalName): Promise<readonly RoleAssignment[]> {
    return decodeKnown(await this.#list(keys.ofPrincipal(of, '')), codecs.assignment);
  }

  async commit(change: AccessChange, events: readonly EventChange[], version: string | null): Promise<void> {
    const next = { key: VERSION_KEY, ...codecs.version.encode({}) };
    await this.#table.commit(this.#partition, [
      version === null ? { op: 'insert', ...next } : { op: 'replace', ...next, etag: version },
      ...rowsOf(change),
      ...events.map(rowOperation),
    ]);
  }

  async #read<T>(key: string, codec: RowCodec<T>): Promise<Stored<T> | null> {
    const row = await this.#table.get(this.#partition, key);
    return row === null ? null : { value: codec.decode(row), etag: row.etag };
  }

  /** The rows below a key that ends with a bar. */
  #list(prefix: string): Promise<StoredRow[]> {
    return this.#table.range(this.#partition, prefix, `${prefix.slice(0, -1)}}`, EVERYTHING);
  }
}

function rowsOf(change: AccessChange): RowOperation[] {
  if (change.kind === 'role') {
    const key = keys.role(change.value.name);
    if (change.op === 'remove') return [{ op: 'remove', key }];
    return [{ op: 'put', key, ...codecs.role.encode(change.value) }];
  }
  const { id, principal: of } = change.value;
  const key = keys.assignment(id);
  const indexKey = keys.ofPrincipal(of, id);
  if (change.op === 'remove') return [key, indexKey].map((gone) => ({ op: 'remove', key: gone }));
  const row = codecs.assignment.encode(change.value);
  const oldKey = change.previous === null ? indexKey : keys.ofPrincipal(change.previous.principal, id);
  return [
    { op: 'put', key, ...row },
    { op: 'put', key: indexKey, ...row },
    ...(oldKey === indexKey ? [] : [{ op: 'remove' as const, key: oldKey }]),
  ];
}
