import type { ParsedTbsCertificate } from './certificate.ts';
import { encodeDer, parseDer, readSmallInteger } from './der-reader.ts';
import { derUnsignedInteger } from './der-writer.ts';
import type { Extension } from './extension-reader.ts';
import { OID } from './oids.ts';

/**
 * What a renewed certificate says of the line that it continues, in the cloud agent's form (microsoft/moc, pkg/certs):
 * how many renewals led to it, as an INTEGER, and the DER of the line's first certificate. A first one has neither.
 * @param count 1 or more
 */
export function lineExtensions(count: number, original: Uint8Array): Extension[] {
  const hex = count.toString(16);
  const magnitude = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return [
    { oid: OID.originalCertificate, critical: false, value: original },
    { oid: OID.renewCount, critical: false, value: encodeDer(derUnsignedInteger(magnitude)) },
  ];
}

/** How many renewals led to a certificate; 0 for the first of its line. */
export function renewCountOf({ extensions }: Pick<ParsedTbsCertificate, 'extensions'>): number {
  const extension = extensions.get(OID.renewCount);
  return extension === undefined ? 0 : readSmallInteger(parseDer(extension.value), 'the count of renewals');
}
