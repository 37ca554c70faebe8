import 'reflect-metadata';
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import * as x509 from '@peculiar/x509';
import {
  checkCertificateRequest,
  parseCertificateRequest,
  parseCertificateRequestDer,
} from '../../../shared/pki/certificate-request.ts';
import { KEY_KINDS, type KeyKind, keyPair } from './support/keys.ts';
import { openOpensslDirectory } from './support/openssl.ts';
import { extension, pemRequest, requestDer } from './support/requests.ts';
import { hex, implicit, name, oid, sequence, set, tlv, utf8, yes } from './support/tlv.ts';

const openssl = openOpensslDirectory();
after(() => openssl.remove());

/** A request that openssl makes with a key of that kind. */
function opensslRequest(kind: KeyKind, ...options: string[]): string {
  const key = openssl.write(`${kind}.pem`, keyPair(kind).privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return openssl.run('req', '-new', '-key', key, ...options);
}

function accept(pem: string, identityName = 'KMS') {
  const request = parseCertificateRequest(pem);
  checkCertificateRequest(request, { identityName });
  return request;
}

describe('certificate requests of openssl', () => {
  for (const kind of KEY_KINDS) {
    for (const digest of ['sha256', 'sha384', 'sha512']) {
      it(`are accepted with ${kind} and ${digest}`, () => {
        const request = accept(opensslRequest(kind, '-subj', '/CN=KMS', `-${digest}`));
        assert.equal(request.commonName, 'KMS');
        assert.deepEqual(request.spki, keyPair(kind).spki);
        assert.equal(request.signatureScheme.hash, digest);
      });
    }
  }

  it('are accepted without a subject, and with the old label', () => {
    assert.equal(accept(opensslRequest('P-256', '-subj', '/')).commonName, null);
    accept(opensslRequest('P-256', '-subj', '/', '-newhdr'));
  });

  it('are accepted with RSASSA-PSS, whatever the length of the salt', () => {
    for (const salt of ['digest', 'max', '20']) {
      const options = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', `rsa_pss_saltlen:${salt}`];
      const request = accept(opensslRequest('RSA-2048', '-subj', '/CN=KMS', '-sha256', ...options));
      assert.equal(request.signatureScheme.kind, 'RSA-PSS');
    }
  });

  it('are accepted with attributes and a long subject', () => {
    const configuration = openssl.write(
      'attributes.cnf',
      `[req]\ndistinguished_name = subject\nattributes = attributes\nprompt = no
      [subject]\nC = DE\nO = management\nOU = one\nCN = KMS
      [attributes]\nchallengePassword = open sesame\nunstructuredName = a node\n`,
    );
    const request = accept(opensslRequest('P-256', '-config', configuration));
    assert.deepEqual(
      request.subject.map(({ value }) => value),
      ['DE', 'management', 'one', 'KMS'],
    );
  });

  it('tell which names they ask for', () => {
    const names =
      'DNS:node-1.example,DNS:localhost,IP:127.0.0.1,IP:2001:db8::1,URI:spiffe://a/b,email:a@b.example,RID:1.2.3';
    const request = accept(opensslRequest('P-256', '-subj', '/CN=KMS', '-addext', `subjectAltName=${names}`));
    assert.deepEqual(request.requestedNames, {
      dns: ['node-1.example', 'localhost'],
      uris: ['spiffe://a/b'],
      ipAddresses: ['127.0.0.1', '2001:db8::1'],
      emails: ['a@b.example'],
      otherCount: 1,
    });
  });

  it('are accepted with the extensions that Key Vault puts into its own', () => {
    const extensions = [
      'keyUsage=critical,digitalSignature',
      'extendedKeyUsage=clientAuth',
      'basicConstraints=critical,CA:FALSE',
    ];
    const request = accept(
      opensslRequest('RSA-2048', '-subj', '/CN=KMS', ...extensions.flatMap((each) => ['-addext', each])),
    );
    assert.deepEqual(
      request.extensions.map(({ oid: type, critical }) => [type, critical]),
      [
        ['2.5.29.15', true],
        ['2.5.29.37', false],
        ['2.5.29.19', true],
      ],
    );
  });

  it('are accepted when they ask to be an authority: the profile is not theirs to choose', () => {
    accept(opensslRequest('P-256', '-subj', '/CN=KMS', '-addext', 'basicConstraints=critical,CA:TRUE'));
  });
});

describe('certificate requests of other writers', () => {
  it('are accepted from @peculiar/x509', async () => {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' };
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: 'CN=KMS, O=management',
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'node-1' }]),
      ],
    });
    assert.deepEqual(accept(request.toString('pem')).requestedNames.dns, ['node-1']);
    const fromDer = parseCertificateRequestDer(new Uint8Array(request.rawData));
    checkCertificateRequest(fromDer, { identityName: 'KMS' });
    assert.deepEqual(fromDer, parseCertificateRequest(request.toString('pem')));
  });

  it('are accepted with CRLF and with the attributes left out', () => {
    const request = accept(pemRequest(requestDer({ attributes: null })).replaceAll('\n', '\r\n'));
    assert.deepEqual(request.extensions, []);
  });

  it('are accepted with an empty common name, which counts as none', () => {
    assert.equal(accept(pemRequest(requestDer({ subject: name(['2.5.4.3', utf8('')]) }))).commonName, null);
  });

  it('are accepted with a subject in any string type and in RDNs of several values', () => {
    const bmp = tlv(0x1e, hex('004b004d0053'));
    assert.equal(accept(pemRequest(requestDer({ subject: name(['2.5.4.3', bmp]) }))).commonName, 'KMS');
    const attribute = (type: string, text: string) => sequence(oid(type), utf8(text));
    const subject = sequence(set(attribute('2.5.4.3', 'KMS'), attribute('2.5.4.10', 'management')));
    assert.equal(accept(pemRequest(requestDer({ subject }))).commonName, 'KMS');
  });

  it('are accepted with an attribute that is no text, as long as it is not the name', () => {
    const request = accept(
      pemRequest(
        requestDer({ subject: name(['2.5.4.45', tlv(0x03, hex('0001'))], ['2.5.4.3', utf8('KMS')]) }),
      ),
    );
    assert.deepEqual(request.subject[0], { oid: '2.5.4.45', value: null });
  });

  it('are accepted with 32 extensions, 20 names and 20 subject attributes', () => {
    const names = Array.from({ length: 20 }, (_, index) => implicit(2, Buffer.from(`node-${index}`)));
    const extensions = Array.from({ length: 31 }, (_, index) => extension(`1.2.3.${index}`, yes()));
    const subject = name(
      ...Array.from({ length: 19 }, (_, index): [string, Uint8Array] => ['2.5.4.11', utf8(`unit ${index}`)]),
      ['2.5.4.3', utf8('KMS')],
    );
    const request = accept(
      pemRequest(
        requestDer({ subject, extensions: [...extensions, extension('2.5.29.17', sequence(...names))] }),
      ),
    );
    assert.equal(request.extensions.length, 32);
    assert.equal(request.requestedNames.dns.length, 20);
  });

  it('carry extensions through unread, unknown and huge identifiers among them', () => {
    const uuid = tlv(0x06, hex('6983b5e5d7b1c9a8f2d4e6a1b2c3d4e5f607'));
    const extensions = [
      sequence(uuid, tlv(0x04, hex('ff'))),
      extension('1.3.6.1.4.1.311.104.1.1', Buffer.from('PEM')),
    ];
    const request = accept(pemRequest(requestDer({ extensions })));
    assert.match(request.extensions[0]?.oid ?? '', /^2\.25\.\d{20,}$/);
    assert.deepEqual(request.extensions[1], {
      oid: '1.3.6.1.4.1.311.104.1.1',
      critical: false,
      value: Uint8Array.from(Buffer.from('PEM')),
    });
  });

  it('are accepted up to the largest size', () => {
    const filler = (length: number) =>
      requestDer({ extensions: [extension('1.2.3', new Uint8Array(length))] });
    // The signature's length varies by a byte or two, so stay a little below.
    const overhead = filler(16_000).length - 16_000;
    accept(pemRequest(filler(16_384 - overhead - 4)));
  });
});
