import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import {
  crc32,
  fromBase64Url,
  fromHex,
  isSameBytes,
  toBase64,
  toBase64Url,
  toHex,
} from '../../../shared/domain/encoding.ts';

const bytes = fc.uint8Array({ maxLength: 200 });

describe('base64url', () => {
  it('writes what Node writes', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        assert.equal(toBase64Url(value), Buffer.from(value).toString('base64url'));
      }),
    );
  });

  it('reads back what it wrote', () => {
    fc.assert(fc.property(bytes, (value) => assert.deepEqual(fromBase64Url(toBase64Url(value)), value)));
  });

  it('reads a text only when it is the one text of its bytes', () => {
    const nearlyBase64 = fc.string({ unit: fc.constantFrom(...'ABYZabyz0189-_+/= '), maxLength: 12 });
    fc.assert(
      fc.property(nearlyBase64, (text) => {
        const value = fromBase64Url(text);
        if (value !== null) assert.equal(Buffer.from(value).toString('base64url'), text);
        // Node reads loosely and writes canonically: what comes out unchanged is canonical.
        const isCanonical = Buffer.from(text, 'base64url').toString('base64url') === text;
        assert.equal(value !== null, isCanonical);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses padding, the other alphabet, white space, impossible lengths and spare bits', () => {
    const refused = [
      'QQ==',
      'QQ=',
      '+_8',
      '/-8',
      'QQ ',
      ' QQ',
      'QQ\n',
      'Q',
      'QUFBQ',
      'QR',
      'QUF',
      'Q\u00e4',
      '😀Q',
    ];
    for (const text of refused) assert.equal(fromBase64Url(text), null, JSON.stringify(text));
  });

  it('reads the empty text as no bytes', () => {
    assert.deepEqual(fromBase64Url(''), new Uint8Array(0));
  });
});

describe('base64 of a text', () => {
  it('writes what Node writes, padding and all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 200 }), (text) => {
        assert.equal(toBase64(text), Buffer.from(text, 'latin1').toString('base64'));
      }),
    );
    assert.equal(toBase64('>>>?'), 'Pj4+Pw==');
  });
});

describe('CRC-32', () => {
  it('gives the check value of its specification', () => {
    assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
    assert.equal(crc32(new Uint8Array(0)), 0);
  });

  it('gives what zlib gives', () => {
    fc.assert(fc.property(bytes, (value) => assert.equal(crc32(value), zlibCrc32(value))));
  });
});

describe('hexadecimal', () => {
  it('writes two lower-case digits a byte, as Node does', () => {
    fc.assert(fc.property(bytes, (value) => assert.equal(toHex(value), Buffer.from(value).toString('hex'))));
  });

  it('reads back what it wrote, in either case', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        assert.deepEqual(fromHex(toHex(value)), value);
        assert.deepEqual(fromHex(toHex(value).toUpperCase()), value);
      }),
    );
  });
});

describe('the comparison of bytes', () => {
  it('agrees with Node, whatever the lengths', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        assert.equal(isSameBytes(a, b), Buffer.from(a).equals(b));
        assert.equal(isSameBytes(a, a.slice()), true);
      }),
    );
  });

  it('is not taken in by a common beginning', () => {
    assert.equal(isSameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3)), false);
    assert.equal(isSameBytes(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2)), false);
  });
});
