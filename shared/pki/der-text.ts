import { contentOf, type DerElement, TAG, tagOf } from './der-reader.ts';
import { invalid } from './invalid.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The text of a DirectoryString or IA5String (RFC 5280 section 4.1.2.4 and appendix A), or null when the element is
 * no string type at all.
 * @throws EverleafError InvalidInput, reason `malformed`, when the octets are not text of their type.
 */
export function readText(element: DerElement, name: string): string | null {
  const bytes = contentOf(element);
  switch (tagOf(element)) {
    case TAG.utf8String:
      return decodeUtf8(bytes, name);
    case TAG.printableString:
    case TAG.ia5String:
      return decodeAscii(bytes, name);
    case TAG.teletexString:
      // The type never had a character set that implementations agree on; all of them read it as Latin-1.
      return Buffer.from(bytes).toString('latin1');
    case TAG.bmpString:
      return decodeUnits(bytes, 2, name);
    case TAG.universalString:
      return decodeUnits(bytes, 4, name);
    default:
      return null;
  }
}

/** @throws EverleafError InvalidInput, reason `malformed`, for any octet above 0x7F. */
export function decodeAscii(bytes: Uint8Array, name: string): string {
  if (bytes.some((octet) => octet > 0x7f))
    throw invalid('malformed', `${name} holds octets that are not ASCII`);
  return Buffer.from(bytes).toString('latin1');
}

function decodeUtf8(bytes: Uint8Array, name: string): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw invalid('malformed', `${name} is not UTF-8`, cause);
  }
}

/** BMPString (two octets a character) and UniversalString (four): code points in big-endian order, no surrogates. */
function decodeUnits(bytes: Uint8Array, width: 2 | 4, name: string): string {
  const buffer = Buffer.from(bytes);
  let text = '';
  for (let offset = 0; offset < buffer.length; offset += width) {
    const codePoint = offset + width <= buffer.length ? buffer.readUIntBE(offset, width) : -1;
    if (codePoint < 0 || codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) {
      throw invalid('malformed', `${name} is not made of characters of ${width} octets`);
    }
    text += String.fromCodePoint(codePoint);
  }
  return text;
}
