import { EverleafError, isEverleafError } from '../domain/errors.ts';
import type { OutsideCertificate } from '../pki/outside-authority.ts';
import { decodePem, decodePemBundle } from '../pki/pem.ts';

/**
 * What an operator brings from an outside root.
 * @param pem the authority's certificate, and the certificates above it with the root last
 * @throws EverleafError InvalidInput for a text that is not PEM, and nothing but PEM; `details.pointer` says which
 */
export function readOutsideCertificate(pem: { certificate: string; chain: string }): OutsideCertificate {
  return {
    certificate: read('certificate', () => decodePem(pem.certificate, 'CERTIFICATE')),
    issuers: read('chain', () => decodePemBundle(pem.chain, 'CERTIFICATE')),
  };
}

function read<T>(field: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!isEverleafError(error, 'InvalidInput')) throw error;
    const details = { ...error.details, pointer: `/${field}` };
    throw new EverleafError('InvalidInput', `The field "${field}" is refused: ${error.message}.`, {
      details,
    });
  }
}
