import type { Shown } from '../openssl-verify.ts';
import {
  acceptedPeriods,
  type PathCertificate,
  type Period,
  readCertificates,
  type Use,
} from '../path-validation.ts';

/** What a party shows in a handshake and what it trusts, both as PEM. */
export interface Holdings {
  readonly certificate: string;
  /** What it sends beside it; empty when that is nothing. */
  readonly chain: string;
  readonly bundle: string;
}

/** A stretch of time in which one party did not accept the certificate of another. */
export interface Refusal {
  /** Whose certificate it was. */
  readonly shownBy: string;
  readonly refusedBy: string;
  readonly use: Use;
  readonly from: Date;
  to: Date;
}

/** One side of a handshake at one moment, and what came of it. */
export interface Sample extends Shown {
  readonly isAccepted: boolean;
}

interface Party {
  readonly name: string;
  pem: string;
  leaf: PathCertificate | null;
  chain: readonly PathCertificate[];
  anchors: readonly PathCertificate[];
}

/** One party shows its certificate, another judges it. */
interface Relation {
  readonly shower: Party;
  readonly judge: Party;
  readonly use: Use;
  /** Nothing that either of them holds has changed since; looked at up to here. */
  since: number;
  /** When the judge accepts what it is shown now. */
  accepted: readonly Period[];
  refusal: Refusal | null;
}

/**
 * The law of the handshakes: whatever two parties hold, each accepts the certificate of the other, at every instant. An
 * agent shows its certificate to every verifier, and every verifier its own to the agent, at any time: also to one that is
 * off, which may come back at any moment.
 *
 * To look when something changes is enough for every instant, because what a path is worth depends on three things: the
 * certificate with its chain, the anchors, and the time. Between two changes of the first two only time passes, and then
 * a path is good for exactly one period, from the latest of its notBefores to the earliest of its ends. So a stretch
 * between two looks is held as a whole against the periods, and what they do not cover is a refusal, to the second.
 */
export class Handshakes {
  readonly #parties = new Map<string, Party>();
  readonly #verifiers: ReadonlySet<string>;
  readonly #relations: Relation[] = [];
  readonly #byParty = new Map<string, Relation[]>();
  readonly #pems = new Map<string, readonly PathCertificate[]>();
  readonly refusals: Refusal[] = [];
  /** Stretches that were held against the periods so far. */
  checked = 0;

  constructor(verifiers: readonly string[]) {
    this.#verifiers = new Set(verifiers);
  }

  /** From now on a party holds this. */
  hold(name: string, holdings: Holdings, now: Date): void {
    const party = this.#parties.get(name) ?? this.#join(name, now);
    const relations = this.#byParty.get(name) ?? [];
    for (const relation of relations) this.#look(relation, now);
    if (party.pem !== holdings.certificate) party.leaf = readCertificates(holdings.certificate)[0] ?? null;
    party.pem = holdings.certificate;
    party.chain = this.#read(holdings.chain);
    party.anchors = this.#read(holdings.bundle);
    for (const relation of relations) judge(relation);
  }

  /** Looks at every handshake that anybody could have made until now. */
  look(now: Date): void {
    for (const relation of this.#relations) this.#look(relation, now);
  }

  /** A handshake as it could be made now, for somebody else to judge. */
  sample(random: () => number, now: Date): Sample {
    const {
      shower,
      judge: other,
      use,
      accepted,
    } = this.#relations[Math.floor(random() * this.#relations.length)] ?? {};
    if (shower?.leaf == null || other === undefined || use === undefined || accepted === undefined) {
      throw new Error('Nobody can make a handshake yet.');
    }
    const textOf = (certificates: readonly PathCertificate[]) =>
      certificates.map(({ pem }) => pem).join('\n');
    return {
      leaf: shower.leaf.pem,
      chain: textOf(shower.chain),
      anchors: textOf(other.anchors),
      use,
      at: now,
      isAccepted: accepted.some(({ from, to }) => from <= now.getTime() && now.getTime() < to),
    };
  }

  #join(name: string, now: Date): Party {
    const party: Party = { name, pem: '', leaf: null, chain: [], anchors: [] };
    for (const other of this.#parties.values()) {
      if (this.#verifiers.has(other.name)) this.#relate(party, other, now);
      if (this.#verifiers.has(name)) this.#relate(other, party, now);
    }
    this.#parties.set(name, party);
    return party;
  }

  #relate(caller: Party, verifier: Party, now: Date): void {
    const common = { since: now.getTime(), accepted: [], refusal: null };
    for (const relation of [
      { ...common, shower: caller, judge: verifier, use: 'client' as const },
      { ...common, shower: verifier, judge: caller, use: 'server' as const },
    ]) {
      this.#relations.push(relation);
      for (const { name } of [caller, verifier]) {
        this.#byParty.set(name, [...(this.#byParty.get(name) ?? []), relation]);
      }
    }
  }

  #look(relation: Relation, now: Date): void {
    const { shower, judge: refuser, use, since, accepted } = relation;
    const to = now.getTime();
    relation.since = to;
    if (shower.leaf === null || refuser.anchors.length === 0 || to <= since) return;
    this.checked += 1;
    for (const gap of gapsIn({ from: since, to }, accepted)) {
      const { refusal } = relation;
      if (refusal !== null && refusal.to.getTime() === gap.from) refusal.to = new Date(gap.to);
      else {
        relation.refusal = {
          shownBy: shower.name,
          refusedBy: refuser.name,
          use,
          from: new Date(gap.from),
          to: new Date(gap.to),
        };
        this.refusals.push(relation.refusal);
      }
    }
  }

  #read(pem: string): readonly PathCertificate[] {
    const known = this.#pems.get(pem) ?? readCertificates(pem);
    this.#pems.set(pem, known);
    return known;
  }
}

function judge(relation: Relation): void {
  const { shower, judge: refuser, use } = relation;
  if (shower.leaf === null) return;
  relation.accepted = acceptedPeriods(shower.leaf, shower.chain, refuser.anchors, use);
}

/** The parts of a stretch that no period covers. */
function gapsIn(stretch: Period, periods: readonly Period[]): readonly Period[] {
  let gaps: readonly Period[] = [stretch];
  for (const { from, to } of periods) {
    gaps = gaps.flatMap((gap) =>
      [
        { from: gap.from, to: Math.min(gap.to, from) },
        { from: Math.max(gap.from, to), to: gap.to },
      ].filter((rest) => rest.from < rest.to),
    );
  }
  return gaps;
}
