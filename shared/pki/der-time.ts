import { contentOf, type DerElement, TAG, tagOf } from './der-reader.ts';
import { invalid } from './invalid.ts';

/**
 * A time in the one form that RFC 5280 section 4.1.2.5 allows: UTCTime YYMMDDHHMMSSZ for 1950 to 2049,
 * GeneralizedTime YYYYMMDDHHMMSSZ from 2050 on.
 * @throws EverleafError InvalidInput, reason `malformed`.
 */
export function readTime(element: DerElement, name: string): Date {
  const text = Buffer.from(contentOf(element)).toString('latin1');
  const tag = tagOf(element);
  if (tag === TAG.utcTime && /^\d{12}Z$/.test(text)) {
    // RFC 5280 section 4.1.2.5.1: 50 and above is 19YY.
    const century = Number(text.slice(0, 2)) >= 50 ? '19' : '20';
    return readDigits(century + text, text, name);
  }
  if (tag === TAG.generalizedTime && /^(20[5-9]|2[1-9]\d|[3-9]\d\d)\d{11}Z$/.test(text)) {
    return readDigits(text, text, name);
  }
  throw invalid('malformed', `${name} is no time of RFC 5280: ${JSON.stringify(text.slice(0, 40))}`);
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
