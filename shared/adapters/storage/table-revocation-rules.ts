import { z } from 'zod';
import { FLEET_CHAIN } from '../../domain/audit.ts';
import { CLIENT_TYPES } from '../../domain/identity.ts';
import { REVOCATION_REASONS, type RevocationRule } from '../../domain/revocation.ts';
import { shardOf } from '../../domain/sharding.ts';
import type { EventChange } from '../../ports/identity-store.ts';
import type { RevocationRules } from '../../ports/revocation-rules.ts';
import { instant, rowCodec } from './row-codec.ts';
import type { Table } from './table.ts';
import { partitionName, rowOperation } from './table-identity-store.ts';

const rule: z.ZodType<RevocationRule> = z.object({
  v: z.literal(1),
  id: z.string(),
  clientType: z.enum(CLIENT_TYPES).nullable(),
  cluster: z.string().nullable(),
  dnsName: z.string().nullable(),
  issuedBefore: instant.nullable(),
  reason: z.enum(REVOCATION_REASONS),
  createdAt: instant,
  createdBy: z.string(),
});
const codec = rowCodec('revocation rule', rule);

const keyOf = ({ id }: RevocationRule) => `r|${id}`;
const EVERYTHING = Number.POSITIVE_INFINITY;

/** The rules in the record's table, in the partition of the events of no cluster. */
export class TableRevocationRules implements RevocationRules {
  readonly #table: Table;
  readonly #partition: string;

  constructor(record: Table, shards: number) {
    this.#table = record;
    this.#partition = partitionName(shardOf(FLEET_CHAIN, shards));
  }

  async all(): Promise<readonly RevocationRule[]> {
    const rows = await this.#table.range(this.#partition, 'r|', 'r}', EVERYTHING);
    const rules = rows.map((row) => codec.decode(row));
    return rules.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  }

  async insert(value: RevocationRule, event: EventChange): Promise<void> {
    const row = { op: 'insert', key: keyOf(value), ...codec.encode(value) } as const;
    await this.#table.commit(this.#partition, [row, rowOperation(event)]);
  }

  async remove(value: RevocationRule, event: EventChange): Promise<void> {
    await this.#table.commit(this.#partition, [{ op: 'remove', key: keyOf(value) }, rowOperation(event)]);
  }
}
