import { parseCertificate } from './certificate.ts';
import { parseDer } from './der-reader.ts';
import { readGeneralNames } from './general-names.ts';
import { OID } from './oids.ts';

/** The DNS names that a certificate carries. @throws EverleafError InvalidInput for what is no certificate */
export function dnsNamesOf(der: Uint8Array): readonly string[] {
  const names = parseCertificate(der).extensions.get(OID.subjectAltName);
  return names === undefined ? [] : readGeneralNames(parseDer(names.value)).dns;
}
