import { wholeSecond } from '../domain/instants.ts';
import { type CrlReason, reasonCodeOf } from './crl-reason.ts';
import { derBytes, unsignedContent } from './der-bytes.ts';
import { encodeDer, TAG } from './der-reader.ts';
import { generalizedTimeText, timeText } from './der-time.ts';
import { derOid } from './der-writer.ts';
import { OID } from './oids.ts';
import { serialNumberBytes } from './serial-number.ts';

/** One revoked certificate. */
export interface CrlEntry {
  /** In its written form, see serial-number.ts. */
  readonly serialNumber: string;
  readonly revokedAt: Date;
  readonly reason: CrlReason;
  /** Since when the key is known or believed to be in other hands (RFC 5280 section 5.3.2), or null. */
  readonly invalidityDate: Date | null;
}

const REASON_CODE = encodeDer(derOid(OID.reasonCode));
const INVALIDITY_DATE = encodeDer(derOid(OID.invalidityDate));

/**
 * A member of revokedCertificates, RFC 5280 section 5.1.2.6, its dates cut down to the whole second.
 * @throws EverleafError Internal for what X.509 cannot carry.
 */
export function writeCrlEntry({ serialNumber, revokedAt, reason, invalidityDate }: CrlEntry): Uint8Array {
  const { tag, text } = timeText(wholeSecond(revokedAt));
  const parts = [
    derBytes(TAG.integer, unsignedContent(serialNumberBytes(serialNumber))),
    derBytes(tag, ascii(text)),
  ];
  const extensions: Uint8Array[] = [];
  const code = reasonCodeOf(reason);
  if (code !== null) extensions.push(extension(REASON_CODE, TAG.enumerated, Uint8Array.of(code)));
  if (invalidityDate !== null) {
    const digits = ascii(generalizedTimeText(wholeSecond(invalidityDate)));
    extensions.push(extension(INVALIDITY_DATE, TAG.generalizedTime, digits));
  }
  if (extensions.length > 0) parts.push(derBytes(TAG.sequence, ...extensions));
  return derBytes(TAG.sequence, ...parts);
}

function extension(identifier: Uint8Array, tag: number, content: Uint8Array): Uint8Array {
  return derBytes(TAG.sequence, identifier, derBytes(TAG.octetString, derBytes(tag, content)));
}

function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
