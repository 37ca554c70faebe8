import type { CrlEntry } from './crl-entry-writer.ts';
import { type CrlReason, reasonOfCode } from './crl-reason.ts';
import { DerCursor, type DerSlice } from './der-cursor.ts';
import { TAG } from './der-reader.ts';
import { parseGeneralizedTimeText, parseTimeText } from './der-time.ts';
import { invalid } from './invalid.ts';
import { readSerialNumber } from './serial-number.ts';

// Content octets of 2.5.29.21 and 2.5.29.24, as RFC 5280 appendix A has them.
const REASON_CODE = Buffer.of(0x55, 0x1d, 0x15);
const INVALIDITY_DATE = Buffer.of(0x55, 0x1d, 0x18);

/**
 * Reads a member of revokedCertificates, RFC 5280 section 5.1.2.6, of the profile that crl-entry-writer.ts writes:
 * at most a reason, then at most an invalidity date, neither critical, and no other extension.
 * @throws EverleafError InvalidInput, reason `malformed`.
 */
export function readCrlEntry(slice: DerSlice): CrlEntry {
  const fields = new DerCursor(slice, 'a revoked certificate');
  const serialNumber = readSerialNumber(fields.take('serial number', TAG.integer).content);
  const revokedAt = parseTimeText(fields.takeAny('revocation date'), 'a revocation date');
  const extensions = fields.takeOptional(TAG.sequence);
  fields.end();
  return { serialNumber, revokedAt, ...readExtensions(extensions) };
}

function readExtensions(list: DerSlice | null): Pick<CrlEntry, 'reason' | 'invalidityDate'> {
  let reason: CrlReason | null = null;
  let invalidityDate: Date | null = null;
  for (const member of list?.members() ?? []) {
    const fields = new DerCursor(member, 'an extension of a revoked certificate');
    const oid = fields.take('identifier', TAG.oid).content;
    const value = fields.take('value', TAG.octetString).content;
    fields.end();
    if (invalidityDate === null && reason === null && oid.equals(REASON_CODE)) reason = readReason(value);
    else if (invalidityDate === null && oid.equals(INVALIDITY_DATE)) invalidityDate = readDate(value);
    else throw invalid('malformed', 'a revoked certificate has an extension that does not belong there');
  }
  if (list !== null && reason === null && invalidityDate === null) {
    throw invalid('malformed', 'the extensions of a revoked certificate are empty');
  }
  return { reason: reason ?? 'unspecified', invalidityDate };
}

/** An ENUMERATED of one octet. */
function readReason(value: Buffer): CrlReason {
  const [tag, length, code = 0] = value;
  const reason = reasonOfCode(code);
  if (tag !== TAG.enumerated || length !== 1 || value.length !== 3 || reason === null) {
    throw invalid(
      'malformed',
      `a revoked certificate has the reason ${value.toString('hex')}, which is none that is written`,
    );
  }
  return reason;
}

/** A GeneralizedTime, whatever the year. */
function readDate(value: Buffer): Date {
  const [tag = 0, length] = value;
  if (length !== value.length - 2) throw invalid('malformed', 'an invalidity date has a wrong length');
  return parseGeneralizedTimeText({ tag, text: value.toString('latin1', 2) }, 'an invalidity date');
}
