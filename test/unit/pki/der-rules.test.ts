import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EverleafError } from '../../../shared/domain/errors.ts';
import { encodeDer, parseDer } from '../../../shared/pki/der-reader.ts';
import { assertDer, MAXIMUM_DER_DEPTH } from '../../../shared/pki/der-rules.ts';
import { refusal } from './support/errors.ts';
import { hex, type Octets, octetString, sequence, tlv } from './support/tlv.ts';

function nested(levels: number): Octets {
  let element: Octets = tlv(0x05);
  for (let level = 1; level < levels; level += 1) element = sequence(element);
  return element;
}

describe('strict DER', () => {
  const broken: [title: string, digits: string, reason: string, clause: RegExp][] = [
    ['nothing at all', '', 'not-der', /ends where an element should begin/],
    ['a tag without a length', '30', 'not-der', /ends where a length should stand/],
    ['an indefinite length', '3080 0201 05 0000', 'not-der', /indefinite length/],
    ['a length in long form below 128', '048103 010203', 'not-der', /longer form than needed/],
    ['a length with a leading zero', `04820080${'00'.repeat(128)}`, 'not-der', /longer form than needed/],
    ['a length of five octets', '04850000000001 00', 'not-der', /runs past its end/],
    ['a length cut short', '0482', 'not-der', /runs past its end/],
    ['a value cut short', '0403 0102', 'not-der', /runs past its end/],
    ['a member that reaches beyond its parent', '3003 0402 01 02', 'not-der', /runs past its end/],
    ['a member without a length', '3001 04', 'not-der', /ends where a length should stand/],
    ['a second element', '0500 0500', 'trailing-data', /other bytes follow the DER element \(2\)/],
    ['a tag number above 30', '1f8101 00', 'not-der', /tag number above 30/],
    ['an end-of-contents marker', '3002 0000', 'not-der', /end-of-contents/],
    ['a SEQUENCE in primitive form', '1000', 'not-der', /universal type 16 in primitive form/],
    [
      'an OCTET STRING in constructed form',
      '2403 0401 00',
      'not-der',
      /universal type 4 in constructed form/,
    ],
    ['a BOOLEAN of two octets', '0102 ffff', 'not-der', /BOOLEAN/],
    ['a BOOLEAN that is neither 00 nor FF', '0101 01', 'not-der', /BOOLEAN/],
    ['an empty INTEGER', '0200', 'not-der', /empty INTEGER/],
    ['an INTEGER padded with zeros', '0202 0001', 'not-der', /padded INTEGER/],
    ['an INTEGER padded with ones', '0202 ff80', 'not-der', /padded INTEGER/],
    ['an ENUMERATED padded with zeros', '0a02 0001', 'not-der', /padded INTEGER/],
    ['an empty BIT STRING', '0300', 'not-der', /count of unused bits/],
    ['a BIT STRING with eight unused bits', '0302 0800', 'not-der', /count of unused bits/],
    ['a BIT STRING of no bits with unused ones', '0301 01', 'not-der', /count of unused bits/],
    ['a BIT STRING with a set unused bit', '0302 0181', 'not-der', /unused bits are not zero/],
    ['a NULL with content', '0501 00', 'not-der', /NULL with content/],
    ['an empty OBJECT IDENTIFIER', '0600', 'not-der', /OBJECT IDENTIFIER/],
    ['an OBJECT IDENTIFIER that does not end', '0602 2a86', 'not-der', /unfinished OBJECT IDENTIFIER/],
    ['an OBJECT IDENTIFIER with a padded arc', '0603 2a8001', 'not-der', /padded OBJECT IDENTIFIER/],
  ];
  for (const [title, digits, reason, clause] of broken) {
    it(`refuses ${title}`, () => {
      assert.match(
        refusal('InvalidInput', reason, () => assertDer(hex(digits))),
        clause,
      );
    });
  }

  it('accepts every primitive type in its shortest form', () => {
    for (const digits of [
      '0101ff',
      '010100',
      '020100',
      '02020080',
      '0201ff',
      '030100',
      '030207 80',
      '0400',
      '0500',
    ]) {
      assertDer(hex(digits));
    }
  });

  it('does not look into what a context tag holds', () => {
    assertDer(hex('8202 0001'));
  });

  it(`accepts ${MAXIMUM_DER_DEPTH} levels and refuses one more`, () => {
    assertDer(nested(MAXIMUM_DER_DEPTH));
    refusal('InvalidInput', 'too-deep', () => assertDer(nested(MAXIMUM_DER_DEPTH + 1)));
  });

  it('refuses thousands of levels without running out of stack', () => {
    refusal('InvalidInput', 'too-deep', () => assertDer(nested(5000)));
  });

  it('refuses what the ASN.1 toolkit would not hand on byte for byte', () => {
    // A context-specific [2] with a leading zero: node-forge takes it for a padded INTEGER and drops the octet.
    refusal('InvalidInput', 'not-der', () => parseDer(hex('8202 0001')));
  });

  it('hands on every element it accepts byte for byte', () => {
    const leaf = fc.uint8Array({ maxLength: 200 }).map((bytes) => octetString(bytes));
    const { tree } = fc.letrec<{ tree: Octets }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        leaf,
        fc.array(tie('tree'), { maxLength: 4 }).map((members) => sequence(...members)),
      ),
    }));
    fc.assert(
      fc.property(tree, (der) => {
        assert.deepEqual(encodeDer(parseDer(der)), Uint8Array.from(der));
      }),
      { numRuns: 200 },
    );
  });

  it('either accepts random bytes unchanged or refuses them by name', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          assert.deepEqual(encodeDer(parseDer(bytes)), bytes);
        } catch (error) {
          assert.ok(error instanceof EverleafError && error.code === 'InvalidInput', String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
