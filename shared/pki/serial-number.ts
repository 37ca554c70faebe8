import { EverleafError } from '../domain/errors.ts';

/** 128 bits, twice what the CA/Browser Forum's baseline requirements, section 7.1, ask for. */
export const SERIAL_NUMBER_BYTES = 16;

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
