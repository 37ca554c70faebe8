import { z } from 'zod';
import { FLEET_CHAIN } from '../../domain/audit.ts';
import { CLIENT_TYPES } from '../../domain/identity.ts';
import { REVOCATION_REASONS, type RevocationRule } from '../../domain/revocation.ts';
import { shardOf } from '../../domain/sharding.ts';
import type { Change, EventChange } from '../../ports/identity-store.ts';
import type { RevocationRules } from '../../ports/revocation-rules.ts';
import { instant, rowCodec } from './row-codec.ts';
import type { Table } from './table.ts';
import { rowOperation } from './table-identity-store.ts';
import { partitionName } from './walk-rows.ts';

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
    const note = noteOf(value, `${value.id}-made`, event);
    await this.#table.commit(this.#partition, [row, rowOperation(event), rowOperation(note)]);
  }

  async remove(value: RevocationRule, event: EventChange): Promise<void> {
    const row = { op: 'remove', key: keyOf(value) } as const;
    const note = noteOf(value, `${value.id}-gone`, event);
    await this.#table.commit(this.#partition, [row, rowOperation(event), rowOperation(note)]);
  }
}

/** What the revocation lists must look at, once for the rule and once for its end. */
function noteOf({ id: ruleId, clientType, cluster }: RevocationRule, id: string, event: EventChange): Change {
  const ruled = { ruleId, clientType, cluster };
  return { op: 'put', kind: 'note', value: { v: 1, id, at: event.value.time, revoked: null, ruled } };
}
