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

/** Primes below a product that a Number holds without loss: four of 12 bits. */
interface PrimeLeaf {
  readonly product: bigint;
  readonly primes: readonly number[];
}

/** @see residuesIn */
interface PrimeNode {
  readonly product: bigint;
  readonly below: readonly (PrimeNode | PrimeLeaf)[];
}

const SMALL_PRIME_TREE = primeTree(SMALL_PRIMES, [64, 16, 4]);

/** For each of the ROCA primes p: the residues that are a power of 65537 modulo p. */
const ROCA_RESIDUES: readonly ReadonlySet<number>[] = SMALL_PRIMES.slice(0, ROCA_PRIME_COUNT).map(
  powersOf65537,
);

/**
 * Returns what makes the modulus easy to factor, or null when nothing was found.
 * @param modulus an odd number of 1984 bits or more; ROCA is looked for in keys of that length only.
 */
export function findRsaWeakness(modulus: bigint): RsaWeakness | null {
  const residues = residuesIn(SMALL_PRIME_TREE, modulus);
  if (residues.includes(0)) return 'small-factor';
  // A prime of the flawed library is k * M + (65537^a mod M), so modulo each prime factor of M the key is a power
  // of 65537. A sound key passes for all 126 primes with a chance far below 2^-27, the paper's figure for 39.
  if (ROCA_RESIDUES.every((powers, index) => powers.has(residues[index] ?? 0))) return 'roca';
  if (hasClosePrimes(modulus)) return 'close-primes';
  return null;
}

/** Fermat's factorization: finds p and q at once when they lie close together. */
function hasClosePrimes(modulus: bigint): boolean {
  const root = integerSquareRoot(modulus);
  if (root * root === modulus) return true;
  // What a^2 - n is modulo SIEVE, for one a after another: the long numbers are needed only where it may be a square.
  const first = root + 1n;
  let remainder = Number((first * first - modulus) % BigInt(SIEVE));
  let a = Number(first % BigInt(SIEVE));
  for (let round = 0; round < FERMAT_ROUNDS; round += 1) {
    if (SQUARES.every(([divisor, squares]) => squares.has(remainder % divisor))) {
      const candidate = first + BigInt(round);
      if (isSquare(candidate * candidate - modulus)) return true;
    }
    remainder = (remainder + 2 * a + 1) % SIEVE;
    a = (a + 1) % SIEVE;
  }
  return false;
}

function isSquare(value: bigint): boolean {
  const root = integerSquareRoot(value);
  return root * root === value;
}

/** The squares modulo each: 1 residue in 140 is a square modulo all four, which GMP's mpn_perfect_square_p began with. */
const SQUARES: readonly (readonly [number, ReadonlySet<number>])[] = [64, 63, 65, 11].map((divisor) => [
  divisor,
  new Set(Array.from({ length: divisor }, (_, n) => (n * n) % divisor)),
]);
const SIEVE = 64 * 63 * 65 * 11;

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

/**
 * The residues of a long number modulo every prime of a tree, in its order: one long division for the product of many
 * primes, then ever shorter ones for the products of fewer (a remainder tree, as in D. Bernstein's "Fast multiplication
 * and its applications", section 18).
 */
function residuesIn(tree: PrimeNode | PrimeLeaf, number: bigint): number[] {
  if ('primes' in tree) {
    const residue = Number(number % tree.product);
    return tree.primes.map((prime) => residue % prime);
  }
  const residue = tree.product < number ? number % tree.product : number;
  return tree.below.flatMap((one) => residuesIn(one, residue));
}

function primeTree(primes: readonly number[], [size, ...smaller]: readonly number[]): PrimeNode | PrimeLeaf {
  const product = primes.reduce((all, prime) => all * BigInt(prime), 1n);
  if (size === undefined) return { product, primes };
  const groups = Array.from({ length: Math.ceil(primes.length / size) }, (_, group) =>
    primes.slice(group * size, (group + 1) * size),
  );
  return { product, below: groups.map((group) => primeTree(group, smaller)) };
}

function powersOf65537(prime: number): ReadonlySet<number> {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * 65537) % prime) powers.add(power);
  return powers;
}
