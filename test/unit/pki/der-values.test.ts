import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  contentOf,
  DerFields,
  encodeDer,
  parseDer,
  readBitString,
  readBoolean,
  readInteger,
  readOctetsOfBitString,
  readOid,
  readSmallInteger,
  TAG,
} from '../../../shared/pki/der-reader.ts';
import { decodeAscii, readText } from '../../../shared/pki/der-text.ts';
import { readGeneralizedTime, readTime } from '../../../shared/pki/der-time.ts';
import {
  derBitString,
  derGeneralizedTime,
  derOid,
  derSequence,
  derTime,
  derTrue,
  derUnsignedInteger,
  derUtf8String,
} from '../../../shared/pki/der-writer.ts';
import { refusal } from './support/errors.ts';
import { hex, integer, tlv, utf8 } from './support/tlv.ts';

const again = (element: Parameters<typeof encodeDer>[0]) => parseDer(encodeDer(element));
const text = (tag: number, digits: string) => readText(parseDer(tlv(tag, hex(digits))), 'the text');
const time = (tag: number, characters: string) =>
  readTime(parseDer(tlv(tag, Buffer.from(characters))), 'the time');

describe('DER integers', () => {
  it('reads what it wrote, for every magnitude', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (magnitude) => {
        const value = BigInt(`0x${Buffer.from(magnitude).toString('hex')}`);
        assert.equal(readInteger(again(derUnsignedInteger(magnitude)), 'the number'), value);
      }),
    );
  });

  it('writes the shortest form, with a sign octet only where it is needed', () => {
    const written = (digits: string) =>
      Buffer.from(encodeDer(derUnsignedInteger(hex(digits)))).toString('hex');
    assert.equal(written('00'), '020100');
    assert.equal(written('0000'), '020100');
    assert.equal(written('7f'), '02017f');
    assert.equal(written('80'), '02020080');
    assert.equal(written('000001'), '020101');
  });

  it('reads negative numbers as negative', () => {
    assert.equal(readInteger(parseDer(integer('ff')), 'the number'), -1n);
    assert.equal(readInteger(parseDer(integer('8000')), 'the number'), -32768n);
  });

  it('reads a small number of at most four octets', () => {
    assert.equal(readSmallInteger(parseDer(integer('7fffffff')), 'the number'), 2147483647);
    refusal('InvalidInput', 'malformed', () =>
      readSmallInteger(parseDer(integer('0100000000')), 'the number'),
    );
  });
});

describe('DER object identifiers', () => {
  it('reads what it wrote, for all arcs below 2^32', () => {
    const arc = fc.integer({ min: 0, max: 0xffffffff });
    const dotted = fc
      .tuple(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 39 }), fc.array(arc, { maxLength: 6 }))
      .map(([first, second, rest]) => [first, second, ...rest].join('.'));
    fc.assert(fc.property(dotted, (oid) => assert.equal(readOid(again(derOid(oid)), 'the OID'), oid)));
  });

  it('reads arcs of any size under 2, as UUIDs have', () => {
    assert.equal(readOid(parseDer(hex('0602 8837')), 'the OID'), '2.999');
    const uuid = '060983ffffffffffffff7f';
    assert.equal(readOid(parseDer(hex(`0609${'69'}83ffffffffffff7f`)), 'the OID'), '2.25.2251799813685247');
    assert.match(readOid(parseDer(hex(uuid)), 'the OID'), /^2\.\d+$/);
  });

  it('refuses an identifier of absurd length', () => {
    refusal('InvalidInput', 'malformed', () =>
      readOid(parseDer(tlv(0x06, new Uint8Array(129).fill(1))), 'the OID'),
    );
  });
});

describe('DER bit strings and booleans', () => {
  it('reads bits and their count', () => {
    const read = readBitString(again(derBitString(Uint8Array.of(0xa0), 5)), 'the bits');
    assert.deepEqual(read, { bytes: Uint8Array.of(0xa0), unusedBits: 5 });
  });

  it('refuses unused bits where whole octets are expected', () => {
    refusal('InvalidInput', 'malformed', () => readOctetsOfBitString(parseDer(hex('0302 0180')), 'the key'));
  });

  it('reads true', () => {
    assert.equal(readBoolean(again(derTrue()), 'the flag'), true);
  });
});

describe('DER fields', () => {
  it('names the element that has the wrong tag', () => {
    const message = refusal('InvalidInput', 'malformed', () =>
      readOid(parseDer(hex('0500')), 'the algorithm'),
    );
    assert.equal(message, 'the algorithm has the tag 0x05, expected 0x06');
  });

  it('names the field that is missing', () => {
    const fields = new DerFields(again(derSequence()), 'the request');
    assert.match(
      refusal('InvalidInput', 'malformed', () => fields.take('version')),
      /the request has no version/,
    );
  });

  it('refuses members that nobody asked for', () => {
    const fields = new DerFields(again(derSequence(derTrue(), derTrue())), 'the request');
    fields.take('flag');
    assert.match(
      refusal('InvalidInput', 'malformed', () => fields.end()),
      /has 2 members, expected 1/,
    );
  });

  it('takes an optional field only when it has the tag', () => {
    const fields = new DerFields(again(derSequence(derTrue())), 'the request');
    assert.equal(fields.takeOptional(TAG.integer), null);
    assert.notEqual(fields.takeOptional(TAG.boolean), null);
    assert.equal(fields.takeOptional(TAG.boolean), null);
    fields.end();
  });

  it('gives the content of long elements without their header', () => {
    const content = new Uint8Array(300).fill(7);
    assert.deepEqual(contentOf(parseDer(tlv(0x04, content))), content);
  });
});

describe('DER text', () => {
  it('reads every string type that names use', () => {
    assert.equal(readText(again(derUtf8String('Käse')), 'the text'), 'Käse');
    assert.equal(text(TAG.printableString, '4b4d53'), 'KMS');
    assert.equal(text(TAG.ia5String, '4b40'), 'K@');
    assert.equal(text(TAG.teletexString, '4be4'), 'Kä');
    assert.equal(text(TAG.bmpString, '004b00e4'), 'Kä');
    assert.equal(text(TAG.universalString, '0000004b0001f600'), 'K😀');
  });

  it('has no text for what is no string', () => {
    assert.equal(readText(parseDer(hex('0500')), 'the text'), null);
  });

  const broken: [title: string, tag: number, digits: string, reason: string][] = [
    ['UTF-8 that is none', TAG.utf8String, 'c328', 'malformed'],
    ['a PrintableString above ASCII', TAG.printableString, 'e4', 'malformed'],
    ['half a character of a BMPString', TAG.bmpString, '004b00', 'not-der'],
    ['a surrogate in a BMPString', TAG.bmpString, 'd800', 'malformed'],
    ['a code point beyond Unicode', TAG.universalString, '00110000', 'malformed'],
    ['a UniversalString cut short', TAG.universalString, '0000004b00', 'malformed'],
  ];
  for (const [title, tag, digits, reason] of broken) {
    it(`refuses ${title}`, () => {
      refusal('InvalidInput', reason, () => text(tag, digits));
    });
  }

  it('keeps a byte order mark instead of swallowing it', () => {
    assert.equal(readText(parseDer(utf8('\uFEFFKMS')), 'the text'), '\uFEFFKMS');
  });

  it('refuses octets above ASCII in a name', () => {
    refusal('InvalidInput', 'malformed', () => decodeAscii(Uint8Array.of(0x80), 'the name'));
  });
});

describe('DER times', () => {
  it('reads what it wrote, to the second, from 1950 to 9999', () => {
    const second = fc.integer({ min: Date.UTC(1950, 0, 1) / 1000, max: Date.UTC(9999, 11, 31) / 1000 });
    fc.assert(
      fc.property(second, (seconds) => {
        const instant = new Date(seconds * 1000);
        assert.deepEqual(readTime(again(derTime(instant)), 'the time'), instant);
      }),
    );
  });

  it('reads a time of the one type that has no century to guess as it wrote it, of any year with four digits', () => {
    const first = Date.parse('0000-01-01T00:00:00Z') / 1000;
    const second = fc.integer({ min: first, max: Date.UTC(9999, 11, 31) / 1000 });
    fc.assert(
      fc.property(second, (seconds) => {
        const instant = new Date(seconds * 1000);
        assert.deepEqual(readGeneralizedTime(again(derGeneralizedTime(instant)), 'the time'), instant);
      }),
      { examples: [[first]] },
    );
    refusal('Internal', null, () => derGeneralizedTime(new Date((first - 1) * 1000)));
  });

  it('writes UTCTime through 2049 and GeneralizedTime from 2050 on', () => {
    const written = (iso: string) => Buffer.from(encodeDer(derTime(new Date(iso)))).toString('latin1');
    assert.equal(written('2049-12-31T23:59:59Z'), '\x17\x0d491231235959Z');
    assert.equal(written('2050-01-01T00:00:00Z'), '\x18\x0f20500101000000Z');
  });

  it('takes two-digit years from 50 on for the last century', () => {
    assert.equal(time(TAG.utcTime, '500101000000Z').toISOString(), '1950-01-01T00:00:00.000Z');
    assert.equal(time(TAG.utcTime, '491231235959Z').toISOString(), '2049-12-31T23:59:59.000Z');
  });

  const refused: [title: string, tag: number, characters: string][] = [
    ['a UTCTime without seconds', TAG.utcTime, '2601010000Z'],
    ['a UTCTime with an offset', TAG.utcTime, '260101000000+0100'],
    ['a GeneralizedTime with a fraction', TAG.generalizedTime, '20510101000000.5Z'],
    ['a GeneralizedTime before 2050', TAG.generalizedTime, '20260101000000Z'],
    ['the 30th of February', TAG.utcTime, '260230000000Z'],
    ['the 13th month', TAG.utcTime, '261301000000Z'],
    ['hour 24', TAG.utcTime, '260101240000Z'],
    ['second 60', TAG.utcTime, '260101000060Z'],
    ['text of another type', TAG.ia5String, '260101000000Z'],
  ];
  for (const [title, tag, characters] of refused) {
    it(`refuses ${title}`, () => {
      refusal('InvalidInput', 'malformed', () => time(tag, characters));
    });
  }

  it('does not write what X.509 cannot carry', () => {
    const unwritable = [
      new Date('2026-01-01T00:00:00.500Z'),
      new Date(Number.NaN),
      new Date('1949-12-31T23:59:59Z'),
    ];
    for (const instant of unwritable) refusal('Internal', null, () => derTime(instant));
    refusal('Internal', null, () => derTime(new Date('+010000-01-01T00:00:00Z')));
  });
});
