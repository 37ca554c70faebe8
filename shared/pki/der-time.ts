import { EverleafError } from '../domain/errors.ts';
import { contentOf, type DerElement, TAG, tagOf } from './der-reader.ts';
import { invalid } from './invalid.ts';

/** A time as it stands in DER: the first octet of its type, and its characters. */
export interface TimeText {
  readonly tag: number;
  readonly text: string;
}

/**
 * A time in the one form that RFC 5280 section 4.1.2.5 allows: UTCTime YYMMDDHHMMSSZ for 1950 to 2049,
 * GeneralizedTime YYYYMMDDHHMMSSZ from 2050 on.
 * @throws EverleafError InvalidInput, reason `malformed`.
 */
export function readTime(element: DerElement, name: string): Date {
  return parseTimeText({ tag: tagOf(element), text: textOf(element) }, name);
}

/** `readTime` of characters that were cut out already. */
export function parseTimeText({ tag, text }: TimeText, name: string): Date {
  if (tag === TAG.utcTime && /^\d{12}Z$/.test(text)) {
    // RFC 5280 section 4.1.2.5.1: 50 and above is 19YY.
    const century = Number(text.slice(0, 2)) >= 50 ? '19' : '20';
    return readDigits(century + text, text, name);
  }
  if (tag === TAG.generalizedTime && /^(20[5-9]|2[1-9]\d|[3-9]\d\d)\d{11}Z$/.test(text)) {
    return readDigits(text, text, name);
  }
  throw noTime(text, name);
}

/**
 * A time where GeneralizedTime is the only type, whatever the year: YYYYMMDDHHMMSSZ, in an OCSP response (RFC 6960
 * section 4.2.2.1) and as an invalidity date (RFC 5280 section 5.3.2).
 * @throws EverleafError InvalidInput, reason `malformed`.
 */
export function readGeneralizedTime(element: DerElement, name: string): Date {
  return parseGeneralizedTimeText({ tag: tagOf(element), text: textOf(element) }, name);
}

/** `readGeneralizedTime` of characters that were cut out already. */
export function parseGeneralizedTimeText({ tag, text }: TimeText, name: string): Date {
  if (tag !== TAG.generalizedTime || !/^\d{14}Z$/.test(text)) throw noTime(text, name);
  return readDigits(text, text, name);
}

/**
 * The instant in the form that `readTime` reads.
 * @throws EverleafError Internal when the instant has a fraction of a second or lies outside 1950 to 9999.
 */
export function timeText(instant: Date): TimeText {
  const text = textFrom(instant, 1950);
  return instant.getUTCFullYear() < 2050
    ? { tag: TAG.utcTime, text: text.slice(2) }
    : { tag: TAG.generalizedTime, text };
}

/**
 * The characters that `readGeneralizedTime` reads, which has no century to guess and so takes any year of four digits.
 * @throws EverleafError Internal when the instant has a fraction of a second or lies outside 0 to 9999.
 */
export function generalizedTimeText(instant: Date): string {
  return textFrom(instant, 0);
}

function textFrom(instant: Date, firstYear: number): string {
  const year = instant.getUTCFullYear();
  if (Number.isNaN(year) || instant.getUTCMilliseconds() !== 0 || year < firstYear || year > 9999) {
    const found = Number.isNaN(year) ? 'an invalid date' : instant.toISOString();
    throw new EverleafError(
      'Internal',
      `Cannot encode ${found}: expected whole seconds of the years ${firstYear} to 9999.`,
    );
  }
  return `${instant.toISOString().replace(/\.000Z$|\D/g, '')}Z`;
}

function textOf(element: DerElement): string {
  return Buffer.from(contentOf(element)).toString('latin1');
}

function readDigits(digits: string, text: string, name: string): Date {
  const iso = digits.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
  const instant = new Date(iso);
  // Comparing catches the 31st of February, which Date would carry over into March, and hour 24.
  if (Number.isNaN(instant.getTime()) || instant.toISOString() !== iso) {
    throw invalid('malformed', `${name} is no calendar date: ${JSON.stringify(text)}`);
  }
  return instant;
}

function noTime(text: string, name: string): EverleafError {
  return invalid('malformed', `${name} is no time of RFC 5280: ${JSON.stringify(text.slice(0, 40))}`);
}
