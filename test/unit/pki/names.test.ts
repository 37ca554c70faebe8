import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeDer, parseDer } from '../../../shared/pki/der-reader.ts';
import { encodeName, readName } from '../../../shared/pki/distinguished-name.ts';
import {
  countNames,
  isHostName,
  readGeneralNames,
  writeGeneralNames,
} from '../../../shared/pki/general-names.ts';
import { formatIpAddress, parseIpAddress } from '../../../shared/pki/ip-address.ts';
import { compareSerialNumbers, serialNumberFrom } from '../../../shared/pki/serial-number.ts';
import { refusal } from './support/errors.ts';
import { hex, name, utf8 } from './support/tlv.ts';

describe('distinguished names', () => {
  it('are written with the organization first, both as UTF8String', () => {
    const expected = name(['2.5.4.10', utf8('management')], ['2.5.4.3', utf8('KMS')]);
    assert.deepEqual(Buffer.from(encodeName({ commonName: 'KMS', organization: 'management' })), expected);
    assert.deepEqual(Buffer.from(encodeName({ commonName: 'KMS' })), name(['2.5.4.3', utf8('KMS')]));
  });

  it('are read as what was written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (commonName, organization) => {
        const attributes = readName(parseDer(encodeName({ commonName, organization })), 'the subject');
        assert.deepEqual(attributes, [
          { oid: '2.5.4.10', value: organization },
          { oid: '2.5.4.3', value: commonName },
        ]);
      }),
    );
  });
});

describe('IP addresses', () => {
  it('are read as what was written, IPv4 and IPv6', () => {
    const octets = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(octets, (address) => {
        assert.deepEqual(parseIpAddress(formatIpAddress(address) ?? ''), address);
      }),
    );
  });

  it('are written in the canonical form of RFC 5952', () => {
    const canonical = (text: string) => formatIpAddress(parseIpAddress(text) ?? new Uint8Array());
    assert.equal(canonical('2001:DB8:0:0:1:0:0:1'), '2001:db8::1:0:0:1');
    assert.equal(canonical('0:0:0:0:0:0:0:1'), '::1');
    assert.equal(canonical('::'), '::');
    assert.equal(canonical('1::'), '1::');
    assert.equal(canonical('192.0.2.1'), '192.0.2.1');
  });

  it('are refused in any other form', () => {
    const wrong = [
      '',
      '1.2.3',
      '1.2.3.4.5',
      '256.1.1.1',
      '01.2.3.4',
      '0x7f.0.0.1',
      '127.1',
      '1.2.3.4 ',
      ':::',
      '12345::',
    ];
    for (const text of [...wrong, '::1%eth0', '[::1]', '1:2:3:4:5:6:7:8:9', 'localhost']) {
      assert.equal(parseIpAddress(text), null, text);
    }
    assert.equal(formatIpAddress(new Uint8Array(5)), null);
  });
});

describe('subject alternative names', () => {
  it('are read as what was written', () => {
    const names = {
      uris: ['spiffe://a/b'],
      dns: ['node-1', 'node-1.example'],
      ipAddresses: ['127.0.0.1', '::1'],
    };
    const read = readGeneralNames(parseDer(encodeDer(writeGeneralNames(names))));
    assert.deepEqual(read, { ...names, emails: [], otherCount: 0 });
    assert.equal(countNames(read), 5);
  });

  it('are not written unless they are printable ASCII and addresses', () => {
    const none = { uris: [], dns: [], ipAddresses: [] };
    refusal('Internal', null, () => writeGeneralNames({ ...none, dns: ['bücher.example'] }));
    refusal('Internal', null, () => writeGeneralNames({ ...none, uris: ['spiffe://a/b c'] }));
    refusal('Internal', null, () => writeGeneralNames({ ...none, ipAddresses: ['localhost'] }));
  });

  it('know a host name from what is none', () => {
    for (const host of [
      'localhost',
      'node-1',
      'a.b-c.example',
      'x'.repeat(63),
      '3com.example',
      'A.Example',
    ]) {
      assert.equal(isHostName(host), true, host);
    }
    const wrong = [
      '',
      '.',
      'a..b',
      '-a',
      'a-',
      'a_b',
      '*.example',
      'a.example.',
      '127.0.0.1',
      'a b',
      'x'.repeat(64),
    ];
    for (const text of [...wrong, `${'a.'.repeat(127)}example`]) assert.equal(isHostName(text), false, text);
  });
});

describe('serial numbers', () => {
  it('are the hex of 128 random bits', () => {
    assert.equal(serialNumberFrom(hex('ff'.repeat(16))), 'ff'.repeat(16));
    assert.equal(serialNumberFrom(hex(`0a${'00'.repeat(15)}`)), `0a${'00'.repeat(15)}`);
  });

  it('have no leading zero bytes, so that each has one written form', () => {
    assert.equal(serialNumberFrom(hex(`0000${'ab'.repeat(14)}`)), 'ab'.repeat(14));
  });

  it('are ordered by their value, not as text', () => {
    const ordered = ['01', '7f', '80', '0100', 'ff00', `01${'00'.repeat(15)}`];
    assert.deepEqual([...ordered].reverse().sort(compareSerialNumbers), ordered);
    assert.equal(compareSerialNumbers('80', '80'), 0);
  });

  it('are not made from too little, nor from zeros', () => {
    refusal('Internal', null, () => serialNumberFrom(new Uint8Array(8).fill(1)));
    refusal('Internal', null, () => serialNumberFrom(hex(`${'00'.repeat(8)}${'01'.repeat(8)}`)));
  });
});
