/** The judgement on one chain: pure, so that every kind of damage can be tried in a test. */
import type { Checkpoint } from './checkpoint.ts';
import { entryHash, FIRST_PREVIOUS_HASH } from './entry-hash.ts';

/** An entry as the server answered it; nothing about it is believed. */
export type Entry = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly seq: number | null;
  readonly chain: string;
  readonly previousHash: string | null;
  readonly hash: string | null;
};

/** Where the server says that a chain ends. */
export interface Seal {
  readonly chain: string;
  readonly sealedSeq: number;
  readonly headHash: string;
}

export type Damage = 'removed' | 'altered' | 'reordered' | 'truncated' | 'forged' | 'hidden' | 'unreadable';

export interface Finding {
  readonly chain: string;
  readonly damage: Damage;
  readonly text: string;
}

export interface ChainToCheck {
  readonly chain: string;
  /** In the order in which the server gave them. */
  readonly entries: readonly Entry[];
  /** As it was before the entries were read, and as it was afterwards. */
  readonly sealBefore: Seal;
  readonly sealAfter: Seal;
  /** Genuine ones, listed before the entries were read. */
  readonly checkpoints: readonly Checkpoint[];
}

/** Everything that is wrong with a chain; nothing when it is whole. */
export function checkChain(chain: ChainToCheck): Finding[] {
  const sealed = chain.entries.filter((entry) => entry.seq !== null);
  return [...checkLinks(chain.chain, sealed), ...checkEnd(chain, sealed), ...checkCheckpoints(chain, sealed)];
}

function checkLinks(chain: string, sealed: readonly Entry[]): Finding[] {
  const numbers = new Set(sealed.map(({ seq }) => seq));
  const findings: Finding[] = [];
  const find = (damage: Damage, text: string) => void findings.push({ chain, damage, text });
  let expected = 1;
  let previousHash: string | null = FIRST_PREVIOUS_HASH;
  for (const entry of sealed) {
    const seq = Number(entry.seq);
    if (seq < expected) find('reordered', `entry ${seq} stands behind entry ${expected - 1}`);
    for (let missing = expected; missing < seq; missing++) {
      if (!numbers.has(missing)) find('removed', `entry ${missing} is missing`);
    }
    if (entry.chain !== chain) find('forged', `entry ${seq} is one of the chain "${entry.chain}"`);
    else if (entryHash(entry) !== entry.hash) {
      find('altered', `entry ${seq} does not have the content that its hash was made of`);
    } else if (seq === expected && entry.previousHash !== previousHash) {
      find('altered', `entry ${seq} does not follow ${before(seq)}: one of the two was replaced`);
    }
    expected = seq + 1;
    previousHash = entry.hash;
  }
  return findings;
}

function before(seq: number): string {
  return seq === 1 ? 'the beginning of the chain' : `entry ${seq - 1}`;
}

function checkEnd({ chain, sealBefore, sealAfter }: ChainToCheck, sealed: readonly Entry[]): Finding[] {
  const findings: Finding[] = [];
  const last = lastNumber(sealed);
  if (last < sealBefore.sealedSeq) {
    const text = `the chain ends at entry ${last}, and its head says ${sealBefore.sealedSeq}`;
    findings.push({ chain, damage: 'truncated', text });
  }
  if (last > sealAfter.sealedSeq) {
    const text = `entries ${sealAfter.sealedSeq + 1} to ${last} stand behind the head of the chain`;
    findings.push({ chain, damage: 'forged', text });
  }
  const head = sealed.find(({ seq }) => seq === sealBefore.sealedSeq);
  if (head !== undefined && head.hash !== sealBefore.headHash) {
    const text = `entry ${head.seq} is not the one that the head of the chain names`;
    findings.push({ chain, damage: 'forged', text });
  }
  return findings;
}

function checkCheckpoints({ chain, checkpoints }: ChainToCheck, sealed: readonly Entry[]): Finding[] {
  const bySeq = new Map(sealed.map((entry) => [entry.seq, entry]));
  const last = lastNumber(sealed);
  const findings: Finding[] = [];
  let lastGood = 0;
  for (const { seq, headHash, at } of [...checkpoints].sort((a, b) => a.seq - b.seq)) {
    const entry = bySeq.get(seq);
    if (seq > last) {
      const text = `there is a checkpoint of entry ${seq} from ${at}, and the chain ends at entry ${last}`;
      findings.push({ chain, damage: 'truncated', text });
    } else if (entry !== undefined && entry.hash !== headHash) {
      const text = `the chain was rewritten between entry ${lastGood + 1} and the checkpoint of entry ${seq} from ${at}`;
      findings.push({ chain, damage: 'forged', text });
    } else if (entry !== undefined) {
      lastGood = seq;
    }
  }
  return findings;
}

function lastNumber(sealed: readonly Entry[]): number {
  return sealed.reduce((most, { seq }) => Math.max(most, Number(seq)), 0);
}
