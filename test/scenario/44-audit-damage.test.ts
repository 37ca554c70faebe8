/** Somebody changes the audit log behind the app's back; the verifier finds it and says what was done. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { makeSelfSigned, signRaw } from '../../shared/adapters/memory/memory-certificates.ts';
import { validityFor } from '../../shared/domain/policy.ts';
import { finishJws, prepareJws } from '../../shared/pki/jws-writer.ts';
import {
  type EntryRow,
  entryKey,
  findingsIn,
  moveHead,
  readEntry,
  rehashed,
  removeRows,
  sealedWorld,
  sealMore,
  writeRow,
} from '../support/audit-world.ts';
import type { World } from '../support/memory-world.ts';

const ROUNDS = 3;
const PER_ROUND = 10;
const LAST = ROUNDS * PER_ROUND;

/** What a careful forger does: entries `from` and on are linked and hashed anew, and the head is moved. */
async function relink(world: World, chain: string, from: number, entries: EntryRow[]): Promise<void> {
  let previousHash = (await readEntry(world, chain, from - 1)).event.hash;
  let seq = from;
  for (const entry of entries) {
    const linked = rehashed({ ...entry, event: { ...entry.event, seq, previousHash } });
    await writeRow(world, chain, entryKey(chain, seq), linked);
    previousHash = linked.event.hash;
    seq += 1;
    await moveHead(world, chain, linked);
  }
  await removeRows(world, chain, (key) => key >= entryKey(chain, seq) && key.startsWith('e|'));
}

async function readFrom(world: World, chain: string, from: number): Promise<EntryRow[]> {
  const numbers = Array.from({ length: LAST - from + 1 }, (_, i) => from + i);
  return Promise.all(numbers.map((seq) => readEntry(world, chain, seq)));
}

async function change(world: World, seq: number, edit: (entry: EntryRow) => EntryRow): Promise<void> {
  await writeRow(world, 'alpha', entryKey('alpha', seq), edit(await readEntry(world, 'alpha', seq)));
}

const lying = (entry: EntryRow): EntryRow => ({ ...entry, event: { ...entry.event, reason: 'a lie' } });

/** Each way to damage the chain `alpha`, and what the verifier must say about it, in this order. */
const DAMAGES: readonly {
  readonly title: string;
  readonly expected: readonly RegExp[];
  harm(world: World): Promise<void>;
}[] = [
  {
    title: 'an entry that was removed',
    expected: [/^removed: entry 7 is missing$/],
    harm: (world) => removeRows(world, 'alpha', (key) => key === entryKey('alpha', 7)),
  },
  {
    title: 'the first entries, removed',
    expected: [/^removed: entry 1 is missing$/, /^removed: entry 2 is missing$/],
    harm: (world) => removeRows(world, 'alpha', (key) => key.startsWith('e|') && key < entryKey('alpha', 3)),
  },
  {
    title: 'an entry that was altered',
    expected: [/^altered: entry 7 does not have the content/],
    harm: (world) => change(world, 7, lying),
  },
  {
    title: 'an altered entry with a hash that fits it',
    expected: [/^altered: entry 8 does not follow entry 7: one of the two was replaced$/],
    harm: (world) => change(world, 7, (entry) => rehashed(lying(entry))),
  },
  {
    title: 'the last entry, altered with a hash that fits it',
    expected: [
      /^forged: entry 30 is not the one that the head of the chain names$/,
      /^forged: the chain was rewritten between entry 21 and the checkpoint of entry 30/,
    ],
    harm: (world) => change(world, LAST, (entry) => rehashed(lying(entry))),
  },
  {
    title: 'two entries that changed places',
    expected: [/^reordered: entry 7 stands behind entry 8$/],
    harm: async (world) => {
      const [a, b] = [await readEntry(world, 'alpha', 7), await readEntry(world, 'alpha', 8)];
      await writeRow(world, 'alpha', entryKey('alpha', 7), b);
      await writeRow(world, 'alpha', entryKey('alpha', 8), a);
    },
  },
  {
    title: 'two events that changed places, with hashes and links that fit',
    expected: [
      /^forged: the chain was rewritten between entry 1 and the checkpoint of entry 10/,
      /^forged: .* entry 20/,
      /^forged: .* entry 30/,
    ],
    harm: async (world) => {
      const [a, b, ...rest] = await readFrom(world, 'alpha', 7);
      assert.ok(a !== undefined && b !== undefined);
      await relink(world, 'alpha', 7, [b, a, ...rest]);
    },
  },
  {
    title: 'a chain that was cut off',
    expected: [
      /^truncated: the chain ends at entry 27, and its head says 30$/,
      /^truncated: there is a checkpoint of entry 30 from .*, and the chain ends at entry 27$/,
    ],
    harm: (world) => removeRows(world, 'alpha', (key) => key.startsWith('e|') && key > entryKey('alpha', 27)),
  },
  {
    title: 'a chain that was cut off together with its head',
    expected: [/^truncated: there is a checkpoint of entry 30 from .*, and the chain ends at entry 27$/],
    harm: async (world) => {
      await removeRows(world, 'alpha', (key) => key.startsWith('e|') && key > entryKey('alpha', 27));
      await moveHead(world, 'alpha', await readEntry(world, 'alpha', 27));
    },
  },
  {
    title: 'a chain of which nothing is left',
    expected: [10, 20, 30].map((seq) => new RegExp(`^truncated: .* entry ${seq} .* ends at entry 0$`)),
    harm: (world) => removeRows(world, 'alpha', () => true),
  },
  {
    title: 'an entry that was removed, with the rest numbered, hashed and linked anew',
    expected: [
      /^truncated: there is a checkpoint of entry 30/,
      /^forged: .* between entry 11 and the checkpoint of entry 20/,
    ].reverse(),
    harm: async (world) => relink(world, 'alpha', 12, await readFrom(world, 'alpha', 13)),
  },
  {
    title: 'an entry that was invented behind the head',
    expected: [/^forged: entries 31 to 31 stand behind the head of the chain$/],
    harm: async (world) => {
      const last = await readEntry(world, 'alpha', LAST);
      const event = { ...last.event, seq: LAST + 1, previousHash: last.event.hash };
      await writeRow(world, 'alpha', entryKey('alpha', LAST + 1), rehashed({ ...last, event }));
    },
  },
  {
    title: 'an entry that was put into another chain',
    expected: [/^forged: entry 7 is one of the chain "beta"$/, /^altered: entry 8 does not follow entry 7/],
    harm: async (world) => {
      await writeRow(world, 'alpha', entryKey('alpha', 7), await readEntry(world, 'beta', 7));
    },
  },
  {
    title: 'an entry that the list of all chains does not show any more',
    expected: [/^hidden: entry 7 is missing from the list of all chains$/],
    harm: (world) =>
      removeRows(world, 'alpha', (key) => key.startsWith('x|') && key.endsWith('000000000007')),
  },
  {
    title: 'an entry that is no JSON any more',
    expected: [/^unreadable: behind entry 0: /],
    harm: (world) => writeRow(world, 'alpha', entryKey('alpha', 7), 'not JSON'),
  },
];

test('44 An undamaged log of several hundred entries a chain is whole, also while more is written', async () => {
  const world = await sealedWorld(6, 70);
  assert.deepEqual(await findingsIn(world), []);
  await sealMore(world, 1);
  assert.deepEqual(await findingsIn(world), []);
});

for (const { title, expected, harm } of DAMAGES) {
  test(`44 The verifier finds ${title}`, async () => {
    const world = await sealedWorld(ROUNDS, PER_ROUND);
    await harm(world);
    const findings = (await findingsIn(world)).filter(({ chain }) => chain !== 'all chains');
    assert.deepEqual(new Set(findings.map(({ chain }) => chain)), new Set(['alpha']));
    const texts = findings.filter(({ damage }) => damage !== 'hidden' || expected.length === 1);
    const told = texts.map(({ damage, text }) => `${damage}: ${text}`);
    for (const [i, pattern] of expected.entries()) assert.match(told[i] ?? '', pattern, told.join('\n'));
    assert.equal(told.length, expected.length, told.join('\n'));
  });
}

test('44 A checkpoint by another key, with another signature or under another name is a forgery', async () => {
  const world = await sealedWorld(1, PER_ROUND);
  const jws = (await world.checkpoints.get('alpha', PER_ROUND)) ?? '';
  const { event } = await readEntry(world, 'alpha', 5);
  const claims = JSON.stringify({ v: 1, chain: 'alpha', seq: 5, headHash: event.hash, at: event['time'] });
  const [header, , signature] = jws.split('.');
  const payload = Buffer.from(claims).toString('base64url');
  for (const [forged, pattern] of [
    [signedByAnother(claims), /is not a signing certificate of the vault/],
    [`${header}.${payload}.${signature}`, /its signature is wrong/],
    [jws, /it is of entry 10 of "alpha" and lies under another name/],
    ['no JWS', /it is no JWS/],
    ['', /it is no JWS/],
  ] as const) {
    const findings = await findingsIn(world, [{ chain: 'alpha', seq: 5, jws: forged }]);
    assert.equal(findings.length, 1);
    assert.equal(findings[0]?.damage, 'forged');
    assert.match(findings[0]?.text ?? '', pattern);
  }
});

function signedByAnother(claims: string): string {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spec = {
    keyType: 'EC-P256',
    exportable: false,
    reuseKey: false,
    commonName: 'Everleaf Audit',
    organization: null,
    dnsNames: [],
    usage: 'signature',
  } as const;
  const validity = validityFor(new Date('2026-11-21T08:00:00Z'), 365);
  const certificate = makeSelfSigned(spec, key, validity, Uint8Array.of(1));
  const unsigned = prepareJws(claims, certificate);
  const input = new TextEncoder().encode(unsigned.signingInput);
  return finishJws(unsigned, certificate, signRaw(key, 'ES256', input)) ?? '';
}
