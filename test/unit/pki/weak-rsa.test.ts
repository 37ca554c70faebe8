import assert from 'node:assert/strict';
import { checkPrimeSync, generatePrimeSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { checkPublicKey, readPublicKey } from '../../../shared/pki/public-key.ts';
import { findRsaWeakness } from '../../../shared/pki/weak-rsa.ts';
import { refusal } from './support/errors.ts';
import { keyPair, newKeyPair, rsaSpki } from './support/keys.ts';

const randomPrime = (bits: number): bigint => generatePrimeSync(bits, { bigint: true });

function primeAfter(number: bigint): bigint {
  let candidate = number + 2n;
  while (!checkPrimeSync(candidate)) candidate += 2n;
  return candidate;
}

/** M of the flawed generator: the product of the first `count` primes (Nemec et al., CCS 2017, section 2.1). */
function primorial(count: number): bigint {
  let product = 1n;
  for (let candidate = 2n, found = 0; found < count; candidate += 1n) {
    if (!checkPrimeSync(candidate)) continue;
    product *= candidate;
    found += 1;
  }
  return product;
}

/** A prime as the flawed generator makes it: k * M + (65537^a mod M), tried for one k after another. */
function rocaPrime(bits: number, m: bigint, a: bigint): bigint {
  let power = 1n;
  for (let step = 0n; step < a; step += 1n) power = (power * 65537n) % m;
  // The two top bits are set, so that the product of two such primes has its full length.
  let candidate = ((3n << BigInt(bits - 2)) / m + 1n) * m + power;
  while (!checkPrimeSync(candidate)) candidate += m;
  return candidate;
}

/**
 * A real key of a chip with the flaw: the 2048-bit modulus mod03.txt among the test data of the paper's authors,
 * https://github.com/crocs-muni/roca (MIT).
 */
const PUBLISHED_ROCA_MODULUS = BigInt(
  '0x9dcd7420e420c270a68060eb8b5aa7457a9f6648f86fafed2775cc1f79ae962f1e63f1b9e51c55f9ea6fdc7332e9b0058c9ff2eb1fc8985502' +
    '9cf6aafe21e689feb38ac9ffb12f1ce371bb5d0e9aae64161abce74b4244bf68f1edb4411f756a097c8929c14740245ea355f8332d1aa36bb5' +
    '0c7dcb4505da8de02e4e53d38f8df06097da7524df0df93db48eac8cc4af2d3a16257eb2b2adca6ba464e5974fa92550d31b1babf161e7692d' +
    '00b86e3dd886ecab4abfbe1a8f8cc263ff4af55cdb45f4249a5193925f5e983d762f0b6800943eb0267b08f42ed311ce1f5c86eacbc8ce4d3c' +
    'b7a2fee1ef5641423a1cf4114e5ecf50034a60a412523af9e6f4aa11',
);

describe('weak RSA keys', () => {
  it('finds nothing in keys of a sound generator', () => {
    for (const pair of [
      keyPair('RSA-2048'),
      keyPair('RSA-3072'),
      newKeyPair('RSA-2048'),
      newKeyPair('RSA-2048'),
    ]) {
      const key = readPublicKey(pair.spki);
      assert.equal(key.type === 'RSA' && findRsaWeakness(key.modulus), null);
    }
  });

  it('finds small prime factors, two among them', () => {
    const large = randomPrime(2040);
    for (const small of [2n, 3n, 251n, 4093n]) assert.equal(findRsaWeakness(large * small), 'small-factor');
  });

  it('finds primes that lie next to each other, and a square', () => {
    const p = randomPrime(1024);
    assert.equal(findRsaWeakness(p * primeAfter(p)), 'close-primes');
    assert.equal(findRsaWeakness(p * p), 'close-primes');
  });

  it('gives Fermat a hundred rounds', () => {
    // Fermat needs about (q - p)^2 / 8p rounds. With p between 0.75 and 1 times 2^1024 and q = p + x * 2^512 these
    // are between x^2 / 8 and x^2 / 6: at most 96 for x = 24, at least 112 for x = 30.
    const p = randomPrime(1024);
    const at = (x: bigint) => primeAfter(p + (x << 512n));
    assert.equal(findRsaWeakness(p * at(24n)), 'close-primes');
    assert.equal(findRsaWeakness(p * at(30n)), null);
  });

  it('finds the published key of the ROCA authors', () => {
    assert.equal(findRsaWeakness(PUBLISHED_ROCA_MODULUS), 'roca');
  });

  it('finds keys made by the published method for longer keys', () => {
    const middle = primorial(126);
    assert.equal(findRsaWeakness(rocaPrime(1536, middle, 1001n) * rocaPrime(1536, middle, 20n)), 'roca');
  });

  it('does not take a sound key times a power of 65537 for ROCA', () => {
    const key = readPublicKey(keyPair('RSA-2048').spki);
    assert.ok(key.type === 'RSA');
    assert.equal(findRsaWeakness(key.modulus * 65537n), null);
  });

  it('says in the refusal what is wrong with the key', () => {
    const p = randomPrime(1024);
    const refused = (modulus: bigint) =>
      refusal('InvalidInput', 'weak-key', () => checkPublicKey(readPublicKey(rsaSpki(modulus))));
    assert.match(refused(PUBLISHED_ROCA_MODULUS), /ROCA flaw \(CVE-2017-15361\)/);
    assert.match(refused(p * primeAfter(p)), /Fermat/);
    // 2^2047 + 1 is a multiple of 3.
    assert.match(refused((1n << 2047n) + 1n), /small prime factor/);
  });
});
