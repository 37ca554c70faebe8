import { createHmac, createPrivateKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { type ContentInfo, EncryptedContentInfo } from '@peculiar/asn1-cms';
import {
  AuthenticatedSafe,
  CertBag,
  id_certBag,
  id_keyBag,
  id_pkcs8ShroudedKeyBag,
  id_x509Certificate,
  PFX,
  SafeContents,
} from '@peculiar/asn1-pfx';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import * as asn1js from 'asn1js';
import { decrypt } from './encryption.ts';
import { FOR_MAC, passwordKey } from './password-key.ts';

/** What a file holds, in the order it holds it. */
export interface PfxContent {
  readonly keys: readonly KeyObject[];
  /** DER. */
  readonly certificates: readonly Buffer[];
}

const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';

const MAC_HASHES: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/**
 * Reads a PKCS#12 file (RFC 7292) protected by a password.
 * @throws Error when it is none, the password is wrong, or it is encrypted in a way that is not supported
 */
export function readPfx(file: Uint8Array, password: string): PfxContent {
  const pfx = AsnConvert.parse(file, PFX);
  const authenticated = dataOf(pfx.authSafe);
  checkMac(pfx, authenticated, password);
  const keys: KeyObject[] = [];
  const certificates: Buffer[] = [];
  for (const info of AsnConvert.parse(authenticated, AuthenticatedSafe)) {
    for (const bag of AsnConvert.parse(contentsOf(info, password), SafeContents)) {
      const value = Buffer.from(bag.bagValue);
      if (bag.bagId === id_keyBag) keys.push(createPrivateKey({ key: value, format: 'der', type: 'pkcs8' }));
      if (bag.bagId === id_pkcs8ShroudedKeyBag) {
        keys.push(createPrivateKey({ key: value, format: 'der', type: 'pkcs8', passphrase: password }));
      }
      if (bag.bagId === id_certBag) {
        const { certId, certValue } = AsnConvert.parse(value, CertBag);
        if (certId === id_x509Certificate) certificates.push(octetsOf(certValue));
      }
    }
  }
  return { keys, certificates };
}

function contentsOf(info: ContentInfo, password: string): Buffer {
  if (info.contentType !== ENCRYPTED_DATA) return dataOf(info);
  // EncryptedData (RFC 5652, section 8) is a version and the content; the library has a schema for the latter only.
  const fields = asn1js.fromBER(info.content).result;
  const content = fields instanceof asn1js.Sequence ? fields.valueBlock.value[1] : undefined;
  if (content === undefined) throw new Error('The encrypted content is damaged.');
  const { contentEncryptionAlgorithm, encryptedContent } = AsnConvert.parse(
    content.toBER(),
    EncryptedContentInfo,
  );
  const parts = encryptedContent?.constructedValue ?? [];
  const single = encryptedContent?.value;
  const encrypted =
    single === undefined ? parts.map(({ buffer }) => Buffer.from(buffer)) : [Buffer.from(single.buffer)];
  return decrypt(contentEncryptionAlgorithm, Buffer.concat(encrypted), password);
}

function dataOf({ contentType, content }: ContentInfo): Buffer {
  if (contentType !== DATA) throw new Error(`A file with content of type ${contentType} is not supported.`);
  return octetsOf(content);
}

function octetsOf(der: ArrayBuffer): Buffer {
  return Buffer.from(AsnConvert.parse(der, OctetString).buffer);
}

/** The only thing that tells a wrong password for sure. */
function checkMac(pfx: PFX, authenticated: Buffer, password: string): void {
  // Absent in files that are signed instead, which nobody makes.
  if (pfx.macData === undefined) throw new Error('The file has no integrity check.');
  const { mac, macSalt, iterations } = pfx.macData;
  const hash = MAC_HASHES[mac.digestAlgorithm.algorithm];
  if (hash === undefined) throw new Error(`The digest ${mac.digestAlgorithm.algorithm} is not supported.`);
  const expected = Buffer.from(mac.digest.buffer);
  const key = passwordKey(hash, password, Buffer.from(macSalt.buffer), iterations, FOR_MAC, expected.length);
  const actual = createHmac(hash, key).update(authenticated).digest();
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) {
    throw new Error('The password is wrong, or the file is damaged.');
  }
}
