/** What goes wrong in other people's services: values to put where something else is expected. */
import type { Pick } from './pick.ts';

/** What fast-check makes up besides, for one step. */
export interface Junk {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly json: unknown;
}

const BEFORE_TIME = '0000-01-01T00:00:00Z';

export const ODD_TEXTS: readonly string[] = [
  '',
  ' ',
  '.',
  '..',
  '../..',
  '/',
  '//',
  '\\',
  '%',
  '%2f',
  '%2F..%2F',
  '%00',
  '\u0000',
  'a\u0000b',
  'a\r\nx-injected: yes',
  "' or 1 eq 1 or '",
  '"',
  '|',
  '}',
  '{',
  '~',
  '*',
  '**',
  '?',
  '#',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  'true',
  '-1',
  '0',
  '1e3',
  '0x10',
  '9007199254740993',
  '1'.repeat(400),
  'Management',
  'MANAGEMENT',
  'management/identities/KMS',
  'ſ',
  'K',
  'é',
  'e\u0301',
  '\u202egnp',
  '\ud83d\ude00',
  '\ud800',
  '\ufeff',
  '\u0085',
  'x'.repeat(64),
  'x'.repeat(65),
  'a-'.repeat(40),
  'x'.repeat(1_100),
  'x'.repeat(33_000),
  'x'.repeat(70_000),
  `${'a.'.repeat(120)}a`,
  BEFORE_TIME,
  '0001-01-01T00:00:00Z',
  '1969-12-31T23:59:59Z',
  '2026-02-30T00:00:00Z',
  '2026-11-21T00:00:00+14:00',
  '2026-11-21T00:00:00.123456789Z',
  '9999-12-31T23:59:59Z',
  '9999-12-31T24:00:00Z',
  '+275760-09-13T00:00:00Z',
  '-271821-04-20T00:00:00Z',
  '2026-11-21',
  '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----',
  '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----',
  '-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n',
  'elt1_',
  `elt1_${'A'.repeat(70)}`,
  'https://authority.vault.test',
  'https://everleaf.vault.azure.net',
  'https://everleaf.vault.azure.net@evil.test',
  'http://127.0.0.1:1/',
  'file:///etc/passwd',
  '/clusters/management',
  '/clusters/management/',
  '/clusters/../',
  '/clusters/management/identities/KMS',
];

const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1.5,
  1e308,
  5e-324,
  2 ** 53 + 2,
  [],
  {},
  [[]],
  [null],
  { length: 3 },
  { toString: 1 },
  { toJSON: 'x' },
  Array.from({ length: 2_000 }, () => 'x'),
  Array.from({ length: 600 }, (_, i) => `n${i}`),
  Array.from({ length: 70 }, () => '*'),
];

export function oddText(pick: Pick, junk: Junk): string {
  return pick.oneIn(5) ? junk.text : pick.of(ODD_TEXTS);
}

export function oddValue(pick: Pick, junk: Junk): unknown {
  if (pick.oneIn(6)) return junk.json;
  return pick.oneIn(2) ? pick.of(ODD_VALUES) : oddText(pick, junk);
}

/** Names of members that mean something to JavaScript, or to nobody. */
export const ODD_NAMES = [
  '__proto__',
  'constructor',
  'toString',
  '',
  ' ',
  'unknown',
  '\u0000',
  'x'.repeat(300),
];
