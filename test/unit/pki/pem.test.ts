import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodePem, decodePemBundle, encodePem } from '../../../shared/pki/pem.ts';
import { refusal } from './support/errors.ts';

const der = Uint8Array.from({ length: 100 }, (_, index) => index);
const pem = encodePem('CERTIFICATE', der);
const body = Buffer.from(der).toString('base64');

describe('PEM', () => {
  it('writes lines of 64 characters and ends with a newline', () => {
    const lines = pem.split('\n');
    assert.equal(lines[0], '-----BEGIN CERTIFICATE-----');
    assert.deepEqual(
      lines.slice(1, -2).map((line) => line.length),
      [64, 64, 8],
    );
    assert.deepEqual(lines.slice(-2), ['-----END CERTIFICATE-----', '']);
  });

  it('reads what it wrote', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
        assert.deepEqual(decodePem(encodePem('CERTIFICATE', bytes), 'CERTIFICATE'), bytes);
      }),
    );
  });

  it('accepts CRLF, white space around the block, one long line and no newline at the end', () => {
    assert.deepEqual(decodePem(pem.replaceAll('\n', '\r\n'), 'CERTIFICATE'), der);
    assert.deepEqual(decodePem(`\n\t ${pem} \n\n`, 'CERTIFICATE'), der);
    assert.deepEqual(
      decodePem(`-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`, 'CERTIFICATE'),
      der,
    );
  });

  it('accepts any of several labels', () => {
    const old = encodePem('NEW CERTIFICATE REQUEST', der);
    assert.deepEqual(decodePem(old, 'CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'), der);
  });

  it('reads a bundle in its order, and an empty text as an empty one', () => {
    const other = Uint8Array.of(1, 2, 3);
    assert.deepEqual(decodePemBundle(`${pem}\n${encodePem('CERTIFICATE', other)}`, 'CERTIFICATE'), [
      der,
      other,
    ]);
    assert.deepEqual(decodePemBundle(' \n', 'CERTIFICATE'), []);
  });

  const block = (content: string) => `-----BEGIN CERTIFICATE-----\n${content}\n-----END CERTIFICATE-----\n`;
  const refused: [title: string, text: string, reason: string][] = [
    ['an empty text', '', 'not-pem'],
    ['text that is no PEM', 'garbage', 'not-pem'],
    ['bare base64', body, 'not-pem'],
    ['text before the block', `Subject: CN=KMS\n${pem}`, 'not-pem'],
    ['text after the block', `${pem}and more`, 'not-pem'],
    ['two blocks', pem + pem, 'several-pem-blocks'],
    ['another label', encodePem('CERTIFICATE REQUEST', der), 'wrong-pem-label'],
    ['a private key', pem.replaceAll('CERTIFICATE', 'PRIVATE KEY'), 'wrong-pem-label'],
    ['labels that differ', pem.replace('END CERTIFICATE', 'END CERTIFICATE REQUEST'), 'not-pem'],
    ['a block without an end', pem.replace(/-----END.*\n/, ''), 'not-pem'],
    ['an empty block', block(''), 'not-pem'],
    ['a block of white space', block(' \n '), 'not-pem'],
    ['headers', block(`Proc-Type: 4,ENCRYPTED\n\n${body}`), 'not-pem'],
    ['base64url', block('__-_'), 'not-pem'],
    ['missing padding', block('AQ'), 'not-pem'],
    ['padding in the middle', block('AQ==AQ=='), 'not-pem'],
    ['bits in the padding', block('AR=='), 'not-pem'],
    ['a NUL character', pem.replace('\n', '\n\0'), 'not-pem'],
  ];
  for (const [title, text, reason] of refused) {
    it(`refuses ${title}`, () => {
      refusal('InvalidInput', reason, () => decodePem(text, 'CERTIFICATE'));
    });
  }

  it('never repeats the text it refuses', () => {
    const message = refusal('InvalidInput', 'not-pem', () => decodePem('elt1_very-secret', 'CERTIFICATE'));
    assert.doesNotMatch(message, /secret/);
  });
});
