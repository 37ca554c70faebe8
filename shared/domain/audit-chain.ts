import type { AuditEvent } from './audit.ts';
import { canonicalJson } from './canonical-json.ts';
import { DAY_MS, later, toInstant } from './instants.ts';

/** What stands before the first entry of a chain. */
export const NO_HASH = '0'.repeat(64);

/** How long a head may go without a look at its checkpoint, even when nothing happens in its chain. */
export const CHECKPOINT_EVERY_MS = DAY_MS;

/** An event as everybody may see it, and as it is hashed. `seq` and the hashes are null until it is sealed. */
export interface PublicEvent {
  readonly id: string;
  readonly chain: string;
  readonly seq: number | null;
  /** UTC, whole seconds. */
  readonly time: string;
  readonly type: string;
  readonly outcome: AuditEvent['outcome'];
  readonly reason: string | null;
  readonly count: number;
  readonly actor: { readonly kind: string; readonly id: string | null; readonly source: string | null };
  readonly target: {
    readonly cluster: string | null;
    readonly name: string | null;
    readonly serialNumber: string | null;
    readonly authorityId: string | null;
  };
  readonly correlationId: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
  readonly previousHash: string | null;
  readonly hash: string | null;
}

/** A link of a chain. */
export type ChainedEvent = PublicEvent & {
  readonly seq: number;
  readonly previousHash: string;
  readonly hash: string;
};

/** Where a chain stands. */
export interface ChainHead {
  readonly v: 1;
  readonly chain: string;
  /** Of its last entry; the first is 1. */
  readonly seq: number;
  readonly hash: string;
  /** The latest moment of any entry so far: it never goes back, whatever order the events came in. */
  readonly time: Date;
  /** The entry that the newest checkpoint is of, and when it was last known to be in its place. */
  readonly checkpointSeq: number;
  readonly checkpointAt: Date | null;
}

/** An entry and what is needed to find it. */
export interface SealedEvent {
  readonly v: 1;
  /** `<time to the millisecond>|<id>`: where the event stands among all others, sealed or not. */
  readonly position: string;
  /** The latest moment of any entry up to this one. */
  readonly latest: Date;
  readonly event: ChainedEvent;
}

/** What a checkpoint says of a chain, under the signature of the vault. */
export interface CheckpointClaims {
  readonly v: 1;
  readonly chain: string;
  readonly seq: number;
  readonly headHash: string;
  /** UTC, whole seconds. */
  readonly at: string;
}

/** The event as it is shown, not sealed yet. Halves of surrogate pairs have no UTF-8 and become U+FFFD. */
export function publicEvent(event: AuditEvent, chain: string): PublicEvent {
  const { actor, target } = event;
  const details = Object.entries(event.details).flatMap(([name, value]) =>
    value === null
      ? []
      : [[wellFormed(name), typeof value === 'string' ? wellFormed(value) : value] as const],
  );
  return {
    id: event.id,
    chain,
    seq: null,
    time: toInstant(event.time),
    type: event.type,
    outcome: event.outcome,
    reason: orNull(event.reason),
    count: event.count,
    actor: { kind: actor.kind, id: orNull(actor.id), source: orNull(actor.source) },
    target: {
      cluster: orNull(target.cluster),
      name: orNull(target.name),
      serialNumber: orNull(target.serialNumber),
      authorityId: orNull(target.authorityId),
    },
    correlationId: wellFormed(event.correlationId),
    details: Object.fromEntries(details),
    previousHash: null,
    hash: null,
  };
}

/**
 * Puts an event at the end of a chain: its hash is SHA-256 over the RFC 8785 form of everything else it says, with its
 * number and the hash of the entry before it.
 * @param head null begins the chain
 * @param position where the event stands among all others
 * @param hash SHA-256 of a text's UTF-8, as 64 lower-case hexadecimal digits
 */
export function linkEvent(
  head: ChainHead | null,
  { chain, position, event }: { chain: string; position: string; event: AuditEvent },
  hash: (text: string) => string,
): { sealed: SealedEvent; head: ChainHead } {
  const seq = (head?.seq ?? 0) + 1;
  const { hash: _, ...content } = publicEvent(event, chain);
  const linked = { ...content, seq, previousHash: head?.hash ?? NO_HASH };
  const entry: ChainedEvent = { ...linked, hash: hash(canonicalJson(linked)) };
  const latest = head === null ? event.time : later(head.time, event.time);
  return {
    sealed: { v: 1, position, latest, event: entry },
    head: {
      v: 1,
      chain,
      seq,
      hash: entry.hash,
      time: latest,
      checkpointSeq: head?.checkpointSeq ?? 0,
      checkpointAt: head?.checkpointAt ?? null,
    },
  };
}

/** Whether a chain's head wants a checkpoint, or a look at the one it has. */
export function isCheckpointDue(head: ChainHead, now: Date): boolean {
  return (
    head.checkpointSeq < head.seq ||
    head.checkpointAt === null ||
    now.getTime() - head.checkpointAt.getTime() >= CHECKPOINT_EVERY_MS
  );
}

function orNull(text: string | null): string | null {
  return text === null ? null : wellFormed(text);
}

function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}
