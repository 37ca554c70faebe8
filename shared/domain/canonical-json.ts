import { EverleafError } from './errors.ts';

/** What JSON can say. A property that is undefined is refused, because JSON would leave it out silently. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Half of a surrogate pair: not a character, so it has no UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The one text of a value, by the JSON Canonicalization Scheme (RFC 8785): no white space, properties sorted by the
 * UTF-16 code units of their names (3.2.3), strings and numbers as ECMAScript writes them (3.2.2). What is hashed or
 * signed is the UTF-8 of this text.
 * @throws EverleafError Internal for what has no canonical form: NaN, infinities, halves of surrogate pairs (3.2.2.2)
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number') return number(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object') throw refused(typeof value);
  // The language's own order of strings is the order of their UTF-16 code units.
  const properties = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${properties.map(([name, one]) => `${text(name)}:${canonicalJson(one)}`).join(',')}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function text(value: string): string {
  if (LONE_SURROGATE.test(value)) throw refused('text with half of a surrogate pair');
  return JSON.stringify(value);
}

function number(value: number): string {
  if (!Number.isFinite(value)) throw refused(String(value));
  return JSON.stringify(value);
}

function refused(what: string): EverleafError {
  return new EverleafError('Internal', `Cannot write ${what} as canonical JSON: it has no form there.`);
}
