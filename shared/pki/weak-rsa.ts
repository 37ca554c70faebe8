/**
 * Finds RSA moduli that somebody can factor although they are long enough. What is looked for is what the CA/Browser
 * Forum's baseline requirements, section 6.1.1.3, ask of a certificate authority, without lists of leaked keys.
 */
export type RsaWeakness = 'small-factor' | 'close-primes' | 'roca';

/** No key generator makes primes of 12 bits; a modulus with one is broken or made up. */
const SMALL_PRIME_LIMIT = 4096;

/** Boulder looks as far as this (goodkey, `FermatRounds`), and the requirements name the same number. */
const FERMAT_ROUNDS = 100;

/**
 * How many of the first primes make up the ROCA generator's M for keys of 1984 to 3936 bits; longer keys use the
 * first 225, of which these are a part. Nemec et al., "The Return of Coppersmith's Attack", CCS 2017, table 1.
 */
const ROCA_PRIME_COUNT = 126;

const SMALL_PRIMES: readonly number[] = primesBelow(SMALL_PRIME_LIMIT);

/** For each of the ROCA primes p: the residues that are a power of 65537 modulo p. */
const ROCA_RESIDUES: readonly ReadonlySet<number>[] = SMALL_PRIMES.slice(0, ROCA_PRIME_COUNT).map(
  powersOf65537,
);

/**
 * Returns what makes the modulus easy to factor, or null when nothing was found.
 * @param modulus an odd number of 1984 bits or more; ROCA is looked for in keys of that length only.
 */
export function findRsaWeakness(modulus: bigint): RsaWeakness | null {
  const residues = SMALL_PRIMES.map((prime) => Number(modulus % BigInt(prime)));
  if (residues.includes(0)) return 'small-factor';
  // A prime of the flawed library is k * M + (65537^a mod M), so modulo each prime factor of M the key is a power
  // of 65537. A sound key passes for all 126 primes with a chance far below 2^-27, the paper's figure for 39.
  if (ROCA_RESIDUES.every((powers, index) => powers.has(residues[index] ?? 0))) return 'roca';
  if (hasClosePrimes(modulus)) return 'close-primes';
  return null;
}

/** Fermat's factorization: finds p and q at once when they lie close together. */
function hasClosePrimes(modulus: bigint): boolean {
  let a = integerSquareRoot(modulus);
  if (a * a === modulus) return true;
  a += 1n;
  let remainder = a * a - modulus;
  for (let round = 0; round < FERMAT_ROUNDS; round += 1) {
    if (isSquare(remainder)) return true;
    remainder += 2n * a + 1n;
    a += 1n;
  }
  return false;
}

function isSquare(value: bigint): boolean {
  // 12 of 64 residues are squares; the root is taken for those only.
  const low = Number(value & 63n);
  if (!SQUARES_MODULO_64.has(low)) return false;
  const root = integerSquareRoot(value);
  return root * root === value;
}

const SQUARES_MODULO_64: ReadonlySet<number> = new Set(Array.from({ length: 64 }, (_, n) => (n * n) % 64));

/** The largest integer whose square is at most `value` (0 or more); Newton's method from above. */
function integerSquareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  const bits = value.toString(16).length * 4;
  let root = 1n << BigInt(Math.ceil(bits / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

function primesBelow(limit: number): number[] {
  const isComposite = new Uint8Array(limit);
  const primes: number[] = [];
  for (let candidate = 2; candidate < limit; candidate += 1) {
    if (isComposite[candidate] === 1) continue;
    primes.push(candidate);
    for (let multiple = candidate * candidate; multiple < limit; multiple += candidate)
      isComposite[multiple] = 1;
  }
  return primes;
}

function powersOf65537(prime: number): ReadonlySet<number> {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * 65537) % prime) powers.add(power);
  return powers;
}
