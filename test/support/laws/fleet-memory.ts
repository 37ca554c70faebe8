import assert from 'node:assert/strict';
import type { CertificateRecord } from '../../../shared/domain/identity.ts';
import { VAULT_INSTANCE } from '../../../shared/domain/identity.ts';
import { type IdentityId, identityText, isSameIdentity } from '../../../shared/domain/names.ts';
import { decodeToken } from '../../../shared/domain/token.ts';
import type { Deps } from '../../../shared/use-cases/deps.ts';
import type { Held } from '../proving-agent.ts';

/** A rule that somebody was told stands. */
interface ToldRule {
  readonly id: string;
  readonly identity: IdentityId;
  readonly before: Date | null;
}

/** What a client of the fleet has, when it keeps its key itself. */
export interface Belongings {
  /** Texts of all tokens that it was ever given, the newest last. */
  readonly tokens: string[];
  held: Held | null;
  /** What a thief has copied of it. */
  copied: Held | null;
  keys: number;
}

/** What a bystander knows who was told of every answer, and reads in no record what is revoked or has ended. */
export class FleetMemory {
  /** Identities that nothing may be issued to. */
  readonly dead = new Set<string>();
  readonly deadClusters = new Set<string>();
  /** Keys that nothing may be issued for again. */
  readonly deadKeys = new Set<string>();
  /** Serial numbers that count for nothing any more. */
  readonly deadSerials = new Set<string>();
  rules: ToldRule[] = [];
  /** Every certificate that was recorded, by serial number. */
  readonly known = new Map<string, CertificateRecord>();
  /** The newest token generation that logged in, and the oldest that may, by identity. */
  readonly used = new Map<string, number>();
  readonly floors = new Map<string, number>();
  /** Lines whose key somebody has copied. */
  readonly stolenLines = new Set<string>();
  /** How often each event counts, by id: what was acknowledged. */
  readonly events = new Map<string, number>();
  /** Laws that a transaction has broken. */
  readonly violations: unknown[] = [];
  readonly #belongings = new Map<string, Belongings>();

  of(id: IdentityId): Belongings {
    const found = this.#belongings.get(identityText(id)) ?? { tokens: [], held: null, copied: null, keys: 0 };
    this.#belongings.set(identityText(id), found);
    return found;
  }

  certificatesOf(id: IdentityId): readonly CertificateRecord[] {
    return [...this.known.values()].filter(({ identity }) => isSameIdentity(identity, id));
  }

  /** An identity has ended, and every key that its agents ever had with it. */
  bury(id: IdentityId): void {
    this.dead.add(identityText(id));
    for (const { serialNumber } of this.certificatesOf(id)) this.deadSerials.add(serialNumber);
    this.killKeys(this.certificatesOf(id).filter(({ instance }) => instance !== VAULT_INSTANCE));
  }

  killKeys(certificates: readonly CertificateRecord[]): void {
    for (const { spkiHash } of certificates) this.deadKeys.add(spkiHash);
  }

  /** An identity was made again: its tokens begin with this one. */
  async revive(deps: Deps, id: IdentityId, text: string | null): Promise<void> {
    const who = identityText(id);
    this.bury(id);
    this.dead.delete(who);
    if (text === null) return;
    this.of(id).tokens.push(text);
    this.floors.set(who, (await generationOf(deps, text)).generation);
  }

  /** Whether a certificate must be refused wherever it is shown. */
  isDead({ id, answer: { serialNumber } }: Held): boolean {
    const record = this.known.get(serialNumber);
    assert.ok(record !== undefined, 'an agent holds a certificate that was never recorded');
    return (
      this.dead.has(identityText(id)) ||
      this.deadClusters.has(id.cluster) ||
      this.deadSerials.has(serialNumber) ||
      this.#isRuled(record)
    );
  }

  #isRuled({ identity, issuedAt }: CertificateRecord): boolean {
    return this.rules.some(
      (rule) => isSameIdentity(rule.identity, identity) && (rule.before === null || issuedAt < rule.before),
    );
  }

  /** Nothing may be issued to this identity, for this key, or at this moment. */
  assertIssuable(record: CertificateRecord, what: string): void {
    const { identity, spkiHash } = record;
    const who = identityText(identity);
    const told = `${what}: ${who} got a certificate`;
    assert.ok(!this.dead.has(who), `${told}, and is revoked`);
    assert.ok(!this.deadClusters.has(identity.cluster), `${told}, and its cluster is deleted`);
    assert.ok(!this.deadKeys.has(spkiHash), `${told} for a key that is revoked`);
    assert.ok(!this.#isRuled(record), `${told} against a rule`);
  }

  /** A token that a newer one has superseded, by use or by a cut-over, logs nobody in. */
  assertUsable(id: IdentityId, generation: number): void {
    const who = identityText(id);
    const told = `token ${generation} of ${who} logged in`;
    assert.ok(!this.dead.has(who), `${told}, and the identity is revoked`);
    assert.ok(!this.deadClusters.has(id.cluster), `${told}, and its cluster is deleted`);
    assert.ok(generation >= (this.used.get(who) ?? -1), `${told} after a newer one`);
    assert.ok(generation >= (this.floors.get(who) ?? 0), `${told} after a cut-over`);
    this.used.set(who, generation);
  }
}

export async function generationOf(deps: Deps, text: string) {
  const decoded = decodeToken(text);
  assert.ok(typeof decoded !== 'string');
  const stored = await deps.identities.token(decoded.id);
  assert.ok(stored !== null, 'a token was handed out that has no record');
  return stored.value;
}
