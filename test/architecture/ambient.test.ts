/** Time, chance and environment reach the product through its ports and settings, and in no other way. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sourcesIn } from './sources.ts';

const SYSTEM = /^shared\/adapters\/system\//;
const CONFIG = /^shared\/config\//;

const AMBIENT = [
  {
    what: 'the clock',
    pattern: /\bDate\.now\b|\bnew Date\b(?:\(\s*\)|(?!\s*\())|\bperformance\.now\b/,
    in: SYSTEM,
  },
  {
    what: 'chance',
    pattern: /\bMath\.random\b|\brandom(?:UUID|Bytes|Int)\b|\bgetRandomValues\b/,
    in: SYSTEM,
  },
  { what: 'the environment', pattern: /\bprocess\s*(?:\.|\?\.|\[\s*['"`])\s*env\b/, in: CONFIG },
  { what: 'a timer', pattern: /\bset(?:Timeout|Interval|Immediate)\b/, in: SYSTEM },
];

describe('what the product takes from its surroundings', () => {
  const sources = [...sourcesIn('functions'), ...sourcesIn('shared')];
  for (const { what, pattern, in: room } of AMBIENT) {
    it(`is read in one place where it is ${what}`, () => {
      const offenders = sources.filter(({ path, code }) => !room.test(path) && pattern.test(code));
      assert.deepEqual(
        offenders.map(({ path, code }) => `${path}: ${pattern.exec(code)?.[0]}`),
        [],
      );
      assert.ok(
        sources.some(({ path, code }) => room.test(path) && pattern.test(code)),
        'the rule finds not even the place where it is allowed',
      );
    });
  }

  it('is recognised in all its spellings', () => {
    const spellings = [
      ['Date.now()', 'new Date()', 'new Date( )', 'new Date;', 'performance.now()'],
      ['Math.random()', 'randomUUID()', 'crypto.getRandomValues(x)'],
      ['process.env', "process['env']", 'process?.env'],
      ['setTimeout(f, 1)'],
    ];
    for (const [i, list] of spellings.entries()) {
      for (const code of list) assert.match(code, AMBIENT[i]?.pattern ?? /^$/);
    }
    for (const code of ['new Date(0)', 'now: Date', 'deps.random.bytes(16)', 'processed.environment']) {
      assert.equal(
        AMBIENT.some(({ pattern }) => pattern.test(code)),
        false,
        code,
      );
    }
  });
});
