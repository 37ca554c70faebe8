import { EverleafError } from '../domain/errors.ts';
import { invalid } from './invalid.ts';

/** 128 bits, twice what the CA/Browser Forum's baseline requirements, section 7.1, ask for. */
export const SERIAL_NUMBER_BYTES = 16;

/** RFC 5280 section 4.1.2.2, the sign octet included. */
export const MAXIMUM_SERIAL_OCTETS = 20;

/**
 * The one written form of a serial number, in the record, in URLs and in `ParsedCertificate`: lower-case hex, two
 * digits a byte, no leading zero byte. It is positive as it stands; the sign octet that DER may need is not shown.
 * @param random 16 unpredictable bytes.
 * @throws EverleafError Internal when there are not 16, or when the first 8 are all zero, which no working source of
 *   randomness yields.
 */
export function serialNumberFrom(random: Uint8Array): string {
  if (random.length !== SERIAL_NUMBER_BYTES) {
    throw new EverleafError(
      'Internal',
      `Cannot make a serial number of ${random.length} bytes: expected 16.`,
    );
  }
  if (random.subarray(0, 8).every((octet) => octet === 0)) {
    throw new EverleafError(
      'Internal',
      'Cannot make a serial number: the source of randomness returned zeros.',
    );
  }
  return Buffer.from(random)
    .toString('hex')
    .replace(/^(00)+/, '');
}

/**
 * The magnitude of a serial number in its written form.
 * @throws EverleafError Internal when it is no hex of whole bytes
 */
export function serialNumberBytes(serialNumber: string): Uint8Array {
  if (!/^([0-9a-f]{2})+$/.test(serialNumber)) {
    throw new EverleafError(
      'Internal',
      `Cannot write the serial number ${JSON.stringify(serialNumber)}: expected lower-case hex, two digits a byte.`,
    );
  }
  return Uint8Array.from(Buffer.from(serialNumber, 'hex'));
}

/**
 * The written form of the content of an INTEGER that numbers a certificate.
 * @throws EverleafError InvalidInput, reason `malformed`, unless it is positive and has at most 20 octets (RFC 5280
 *   section 4.1.2.2)
 */
export function readSerialNumber(content: Uint8Array): string {
  const [first = 0] = content;
  const isZero = content.length === 1 && first === 0;
  if (isZero || first >= 0x80 || content.length > MAXIMUM_SERIAL_OCTETS) {
    throw invalid('malformed', 'the serial number is not a positive number of at most 20 octets');
  }
  const hex = Buffer.from(content.buffer, content.byteOffset, content.length).toString('hex');
  return first === 0 ? hex.slice(2) : hex;
}

/** Orders serial numbers in their written form by their value. */
export function compareSerialNumbers(one: string, other: string): number {
  if (one.length !== other.length) return one.length - other.length;
  return one < other ? -1 : Number(one > other);
}
