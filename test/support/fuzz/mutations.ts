/** Changes of one place: what comes out is nearly what it was. */
import { Secret } from '../../../shared/domain/secret.ts';
import { decodeToken, encodeToken } from '../../../shared/domain/token.ts';
import { type Junk, ODD_NAMES, oddText, oddValue } from './odd-values.ts';
import type { Pick } from './pick.ts';

type Members = Record<string, unknown>;

/** A text with one thing wrong in it. A PEM stays one, and what it holds is changed. */
export function mutateText(text: string, pick: Pick, junk: Junk): string {
  if (text.includes('-----BEGIN ') && !pick.oneIn(4)) return mutatePem(text, pick);
  const at = pick.index(text.length + 1);
  return pick.of([
    () => oddText(pick, junk),
    () => text.slice(0, at),
    () => text.slice(at),
    () => text + text,
    () => text.slice(0, at) + pick.of(['\u0000', ' ', '/', '%', '=', '\ud800', 'A']) + text.slice(at),
    () => text.slice(0, at) + pick.of(['A', 'b', '0', '-', '_', '.']) + text.slice(at + 1),
    () => (text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase()),
    () => `${pick.of([' ', '\n', '\ufeff'])}${text}`,
  ])();
}

/** A token that nearly is one: what its text says is changed, and now and then its checksum is right. */
export function mutateToken(text: string, pick: Pick, junk: Junk): string {
  const decoded = decodeToken(text);
  if (typeof decoded === 'string' || pick.oneIn(2)) return mutateText(text, pick, junk);
  const [id, secret] = [Uint8Array.from(decoded.id), Uint8Array.from(decoded.secret.reveal())];
  const changed = pick.oneIn(3) ? id : secret;
  const at = pick.index(changed.length);
  changed[at] = (changed[at] ?? 0) ^ (1 << pick.index(8));
  return encodeToken({ id, secret: new Secret(secret) }).reveal();
}

function mutatePem(text: string, pick: Pick): string {
  const [, head = '', base64 = '', tail = ''] = /^(.*?-----\n)([^-]*)(.*)$/s.exec(text) ?? [];
  const der = mutateBytes(Buffer.from(base64, 'base64'), pick);
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g);
  return pick.oneIn(8) ? text + text : `${head}${lines?.join('\n') ?? ''}\n${tail}`;
}

/** Bytes with one bit, byte or piece wrong. */
export function mutateBytes(bytes: Uint8Array, pick: Pick): Uint8Array {
  const at = pick.index(bytes.length);
  const changed = Uint8Array.from(bytes);
  return pick.of([
    () => {
      changed[at] = (changed[at] ?? 0) ^ (1 << pick.index(8));
      return changed;
    },
    () => {
      changed[at] = pick.of([0x00, 0x01, 0x7f, 0x80, 0x84, 0xff]);
      return changed;
    },
    () => changed.slice(0, at),
    () => changed.slice(at),
    () => Buffer.concat([changed, changed.slice(at)]),
    () => Buffer.concat([changed.slice(0, at), changed.slice(at + 1)]),
    () => Buffer.concat([changed.slice(0, at), Buffer.alloc(1 + pick.index(40)), changed.slice(at)]),
  ])();
}

/** JSON with one value, somewhere in it, changed, taken away, added or put deeper. */
export function mutateJson(value: unknown, pick: Pick, junk: Junk): unknown {
  const isDeeper = typeof value === 'object' && value !== null && !pick.oneIn(4);
  if (isDeeper && Array.isArray(value)) return mutateList(value, pick, junk);
  if (isDeeper) return mutateMembers(value as Members, pick, junk);
  if (typeof value === 'string' && !pick.oneIn(3)) return mutateText(value, pick, junk);
  return pick.oneIn(8) ? deep(pick.of([20, 500]), value) : oddValue(pick, junk);
}

function mutateList(list: readonly unknown[], pick: Pick, junk: Junk): unknown[] {
  const at = pick.index(list.length);
  return pick.of([
    () => list.map((one, i) => (i === at ? mutateJson(one, pick, junk) : one)),
    () => list.filter((_, i) => i !== at),
    () => [...list, ...list],
    () => [...list, oddValue(pick, junk)],
  ])();
}

function mutateMembers(members: Members, pick: Pick, junk: Junk): Members {
  const names = Object.keys(members);
  const name = pick.orElse(names, 'x');
  return pick.of([
    () => withMember(members, name, mutateJson(members[name], pick, junk)),
    () => withMember(members, name, mutateJson(members[name], pick, junk)),
    () => withMember(members, name, mutateJson(members[name], pick, junk)),
    () => withMember(members, name, oddValue(pick, junk)),
    () => Object.fromEntries(Object.entries(members).filter(([known]) => known !== name)),
    () => withMember(members, pick.of(ODD_NAMES), pick.oneIn(2) ? { token: 'x' } : oddValue(pick, junk)),
    () => withMember(members, mutateText(name, pick, junk), members[name]),
  ])();
}

/** With a member of its own, even one named `__proto__`. */
function withMember(members: Members, name: string, value: unknown): Members {
  return Object.fromEntries([...Object.entries(members), [name, value]]);
}

function deep(levels: number, value: unknown): unknown {
  let nested = value;
  for (let i = 0; i < levels; i++) nested = i % 2 === 0 ? [nested] : { a: nested };
  return nested;
}

/** The text of a JSON body with something wrong that no JSON value has. */
export function mutateJsonText(text: string, pick: Pick, junk: Junk): Uint8Array {
  const bytes = Buffer.from(text);
  const [, name = 'x'] = /"(\w+)":/.exec(text) ?? [];
  return pick.of([
    () => mutateBytes(bytes, pick),
    () => Buffer.from(text.replace(/^\{/, `{"${name}":${JSON.stringify(junk.json)},`)),
    () => Buffer.from(text.replace(/\}$/, `,"${name}":${JSON.stringify(junk.text)}}`)),
    () => Buffer.from(text.replace(/^\{/, '{"__proto__":{"isAdmin":true},')),
    () => Buffer.from(`\ufeff${text}`),
    () => Buffer.from(text, 'utf16le'),
    () => Buffer.concat([bytes, Buffer.from([0xc3, 0x28])]),
    () => Buffer.from(`${text}${text}`),
    () => Buffer.from(text.replace(/\}$/, ',}')),
    () => Buffer.from(`${'['.repeat(30_000)}${text}`),
    () => Buffer.from(text.replace(/^\{/, `{"${name}":${'['.repeat(30_000)}${']'.repeat(30_000)},`)),
    () => Buffer.from(text.replace(/\}$/, `,"${name}":${'{"":'.repeat(10_000)}0${'}'.repeat(10_001)}`)),
    () => Buffer.from(text.padEnd(pick.of([65_536, 65_537, 130_000]), ' ')),
    () => new Uint8Array(),
    () => junk.bytes,
    () => Buffer.from(JSON.stringify(junk.json)),
  ])();
}
