import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { toInstant } from '../../../shared/domain/instants.ts';
import { Secret } from '../../../shared/domain/secret.ts';
import { decodeToken, encodeToken, tokenDates, tokenDerivationInput } from '../../../shared/domain/token.ts';

const LENGTH = 'elt1_'.length + 70;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const tokenBytes = fc.record({
  id: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  secret: fc.uint8Array({ minLength: 32, maxLength: 32 }),
});

function textOf({ id, secret }: { id: Uint8Array; secret: Uint8Array }): string {
  return encodeToken({ id, secret: new Secret(secret) }).reveal();
}

const ID = Uint8Array.from({ length: 16 }, (_, i) => i);
const SECRET = Uint8Array.from({ length: 32 }, (_, i) => 0xe0 + i);
const TOKEN = textOf({ id: ID, secret: SECRET });

describe('the text of a token', () => {
  it('is its prefix and the base64url of id, secret and CRC-32', () => {
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(crc32(Buffer.concat([ID, SECRET])));
    assert.equal(TOKEN, `elt1_${Buffer.concat([ID, SECRET, checksum]).toString('base64url')}`);
    assert.equal(TOKEN.length, LENGTH);
  });

  it('is read back to the same id and secret', () => {
    fc.assert(
      fc.property(tokenBytes, ({ id, secret }) => {
        const parts = decodeToken(textOf({ id, secret }));
        assert.ok(typeof parts === 'object');
        assert.deepEqual(parts.id, id);
        assert.deepEqual(parts.secret.reveal(), secret);
      }),
    );
  });

  it('stays hidden when it or its parts are printed', () => {
    const parts = decodeToken(TOKEN);
    assert.ok(typeof parts === 'object');
    assert.match(inspect(parts), /secret: \[secret\]/);
    assert.equal(inspect(encodeToken(parts)), '[secret]');
  });

  it('needs no quoting in a header, a URL or a YAML file', () => {
    assert.match(TOKEN, /^elt1_[A-Za-z0-9_-]{70}$/);
  });
});

describe('a token that somebody altered', () => {
  it('is refused when any one character of it is another', () => {
    let tried = 0;
    for (let position = 0; position < TOKEN.length; position++) {
      for (const character of `${ALPHABET}+/=. \n\0é`) {
        if (character === TOKEN[position]) continue;
        const altered = TOKEN.slice(0, position) + character + TOKEN.slice(position + 1);
        assert.equal(typeof decodeToken(altered), 'string', altered);
        tried += 1;
      }
    }
    assert.equal(tried, LENGTH * (ALPHABET.length + 7));
  });

  it('is told apart for the log: its form is wrong, or its checksum', () => {
    const body = TOKEN.slice(5);
    const other = body.startsWith('B') ? 'C' : 'B';
    assert.equal(decodeToken(`elt1_${other}${body.slice(1)}`), 'checksum');
    assert.equal(decodeToken(`elt1_.${body.slice(1)}`), 'malformed');
  });

  it('has one last character and no other: the bits that belong to no byte must be zero', () => {
    const last = ALPHABET.indexOf(TOKEN.at(-1) ?? '');
    assert.equal(last % 16, 0);
    for (let spare = 1; spare < 16; spare++) {
      assert.equal(decodeToken(TOKEN.slice(0, -1) + ALPHABET.charAt(last + spare)), 'malformed');
    }
  });

  it('is refused when two of its characters changed places', () => {
    for (let i = 5; i + 1 < TOKEN.length; i++) {
      if (TOKEN[i] === TOKEN[i + 1]) continue;
      const swapped = `${TOKEN.slice(0, i)}${TOKEN[i + 1]}${TOKEN[i]}${TOKEN.slice(i + 2)}`;
      assert.equal(typeof decodeToken(swapped), 'string');
    }
  });

  it('is malformed at every shorter and longer length', () => {
    for (let length = 0; length < TOKEN.length; length++) {
      assert.equal(decodeToken(TOKEN.slice(0, length)), 'malformed', `${length} characters`);
      assert.equal(decodeToken(TOKEN.slice(TOKEN.length - length)), 'malformed', `last ${length} characters`);
    }
    for (const tail of ['A', 'AA', 'AAA', 'AAAA', TOKEN, TOKEN.slice(5)]) {
      assert.equal(decodeToken(TOKEN + tail), 'malformed');
    }
  });

  it('is malformed with anything before or after it, padding and white space included', () => {
    for (const extra of [' ', '\n', '\r\n', '\t', '=', '==', '"', '\0', '\ufeff', 'Bearer ', ',']) {
      assert.equal(decodeToken(TOKEN + extra), 'malformed', JSON.stringify(extra));
      assert.equal(decodeToken(extra + TOKEN), 'malformed', JSON.stringify(extra));
    }
  });

  it('is malformed under any other prefix', () => {
    for (const prefix of ['', 'elt2_', 'ELT1_', 'Elt1_', 'elt1-', 'elt1', 'elt1__', 'xelt1_']) {
      assert.equal(decodeToken(prefix + TOKEN.slice(5)), 'malformed', prefix);
    }
  });

  it('is malformed in the alphabet of plain base64', () => {
    const body = Buffer.from(TOKEN.slice(5), 'base64url');
    body.fill(0xff, 16, 48);
    body.writeUInt32BE(crc32(body.subarray(0, 48)), 48);
    assert.equal(typeof decodeToken(`elt1_${body.toString('base64url')}`), 'object');
    assert.equal(decodeToken(`elt1_${body.toString('base64').replaceAll('=', '')}`), 'malformed');
  });

  it('never makes the reader throw, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.equal(decodeToken(text), 'malformed');
        assert.equal(typeof decodeToken(`elt1_${text}`), 'string');
      }),
    );
  });
});

describe('the dates of a token', () => {
  it('count the last second in, and rotate in the middle of the window for a middling id', () => {
    const issued = new Date('2026-11-21T00:00:00.400Z');
    const { issuedAt, expiresAt, rotateAfter } = tokenDates(issued, 90 * 86_400, `${'0'.repeat(24)}80000000`);
    assert.equal(toInstant(issuedAt), '2026-11-21T00:00:00Z');
    assert.equal(toInstant(expiresAt), '2027-02-18T23:59:59Z');
    assert.equal(toInstant(rotateAfter), '2026-12-31T11:59:59Z');
  });
});

describe('the input that a token’s secret is derived from', () => {
  const kms = { cluster: 'management', name: 'KMS' };
  const nonce = '00112233445566778899aabbccddeeff';

  it('is the documented one, with the name in lower case because names ignore case', () => {
    const input = tokenDerivationInput(kms, 7, nonce);
    assert.equal(input, `everleaf/token/v1|management/kms|7|${nonce}`);
    assert.equal(tokenDerivationInput({ ...kms, name: 'kMs' }, 7, nonce), input);
  });

  it('differs with the cluster, the name, the generation and the nonce', () => {
    const inputs = [
      tokenDerivationInput(kms, 7, nonce),
      tokenDerivationInput({ ...kms, cluster: 'west' }, 7, nonce),
      tokenDerivationInput({ ...kms, name: 'KVA' }, 7, nonce),
      tokenDerivationInput(kms, 8, nonce),
      tokenDerivationInput(kms, 7, nonce.replace('0', '1')),
    ];
    assert.equal(new Set(inputs).size, inputs.length);
  });
});
