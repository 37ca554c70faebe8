import { createHash, createHmac, createPrivateKey, randomBytes } from 'node:crypto';
import { ContentInfo, EncryptedContent, EncryptedContentInfo } from '@peculiar/asn1-cms';
import {
  AuthenticatedSafe,
  CertBag,
  id_certBag,
  id_pkcs8ShroudedKeyBag,
  id_x509Certificate,
  MacData,
  PFX,
  PKCS8ShroudedKeyBag,
  PKCS12Attribute,
  SafeBag,
  SafeContents,
} from '@peculiar/asn1-pfx';
import { DigestInfo } from '@peculiar/asn1-rsa';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';
import * as asn1js from 'asn1js';
import { encrypt } from './encryption.ts';
import { FOR_MAC, passwordKey } from './password-key.ts';

/** The password of an import is not kept: what the service gives out has an empty one. */
const PASSWORD = '';
const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const SHA1 = '1.3.14.3.2.26';
/** Ties a key to its certificate (PKCS#9, RFC 2985 section 5.5.2). */
const LOCAL_KEY_ID = '1.2.840.113549.1.9.21';
const ITERATIONS = 2000;

/**
 * A PKCS#12 file with an empty password, in the form of the service's own (the recorded secrets of azure-sdk-for-js):
 * triple DES for key and certificates, SHA-1 for the integrity check. OpenSSL, .NET and Java read it.
 * @param keyPem PKCS#8 PEM, null for a file with certificates only
 * @param certificates base64 of DER, the leaf first
 */
export function writePfx(keyPem: string | null, certificates: readonly string[]): Buffer {
  const chain = certificates.map((cer) => Buffer.from(cer, 'base64'));
  const leafId = localKeyId(chain[0] ?? Buffer.alloc(0));
  const certificateBags = chain.map(
    (der, index) =>
      new SafeBag({
        bagId: id_certBag,
        bagValue: AsnConvert.serialize(new CertBag({ certId: id_x509Certificate, certValue: octets(der) })),
        ...(index === 0 && keyPem !== null ? { bagAttributes: [leafId] } : {}),
      }),
  );
  const safes = [
    ...(keyPem === null ? [] : [data(new SafeContents([keyBag(keyPem, leafId)]))]),
    encryptedData(new SafeContents(certificateBags)),
  ];
  const authenticated = Buffer.from(AsnConvert.serialize(new AuthenticatedSafe(safes)));
  const pfx = new PFX({
    version: 3,
    authSafe: new ContentInfo({ contentType: DATA, content: octets(authenticated) }),
    macData: macOf(authenticated),
  });
  return Buffer.from(AsnConvert.serialize(pfx));
}

function keyBag(keyPem: string, keyId: PKCS12Attribute): SafeBag {
  const pkcs8 = createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' });
  const { algorithm, encrypted } = encrypt(pkcs8, PASSWORD);
  const bag = new PKCS8ShroudedKeyBag({
    encryptionAlgorithm: algorithm,
    encryptedData: new OctetString(encrypted),
  });
  return new SafeBag({
    bagId: id_pkcs8ShroudedKeyBag,
    bagValue: AsnConvert.serialize(bag),
    bagAttributes: [keyId],
  });
}

function data(contents: SafeContents): ContentInfo {
  return new ContentInfo({ contentType: DATA, content: octets(Buffer.from(AsnConvert.serialize(contents))) });
}

function encryptedData(contents: SafeContents): ContentInfo {
  const { algorithm, encrypted } = encrypt(Buffer.from(AsnConvert.serialize(contents)), PASSWORD);
  const content = new EncryptedContentInfo({
    contentType: DATA,
    contentEncryptionAlgorithm: algorithm,
    encryptedContent: new EncryptedContent({ value: new OctetString(encrypted) }),
  });
  // EncryptedData (RFC 5652, section 8) with version 0: no attributes.
  const fields = new asn1js.Sequence({
    value: [new asn1js.Integer({ value: 0 }), asn1js.fromBER(AsnConvert.serialize(content)).result],
  });
  return new ContentInfo({ contentType: ENCRYPTED_DATA, content: fields.toBER() });
}

function macOf(authenticated: Buffer): MacData {
  const salt = randomBytes(20);
  const key = passwordKey('sha1', PASSWORD, salt, ITERATIONS, FOR_MAC, 20);
  const digest = createHmac('sha1', key).update(authenticated).digest();
  return new MacData({
    mac: new DigestInfo({
      digestAlgorithm: new AlgorithmIdentifier({ algorithm: SHA1, parameters: null }),
      digest: new OctetString(digest),
    }),
    macSalt: new OctetString(salt),
    iterations: ITERATIONS,
  });
}

function localKeyId(leaf: Buffer): PKCS12Attribute {
  const attribute = new PKCS12Attribute();
  // Not by the constructor: that of @peculiar/asn1-pfx 2.11 forgets what it is given.
  attribute.attrId = LOCAL_KEY_ID;
  attribute.attrValues = [octets(createHash('sha1').update(leaf).digest())];
  return attribute;
}

function octets(bytes: Uint8Array): ArrayBuffer {
  return AsnConvert.serialize(new OctetString(bytes));
}
