/**
 * Shamir's secret sharing over the scalar field of a curve: participant i ≥ 1 holds f(i), the secret is f(0).
 *
 * Participant numbers and the coefficients made of them are public; shares are secret, and `bigint` is variable time
 * (docs/protocols.md says what that means).
 * @module
 */

import { boundedMap } from '../base/boundedMap.ts';
import { assert } from '../base/errors.ts';
import type { Group } from '../crypto/groups/group.ts';
import { inverse } from '../crypto/inverse.ts';

/** Coefficients by rising power: f(x) = Σ f[j] · x^j. */
export type Polynomial = readonly bigint[];

export function randomPolynomial({ group, degree }: { group: Group; degree: number }): Polynomial {
  return Array.from({ length: degree + 1 }, () => group.randomScalar());
}

/** f(x) mod n, by Horner's rule. */
export function evaluate(f: Polynomial, x: number, n: bigint): bigint {
  return f.reduceRight((sum, coefficient) => (sum * BigInt(x) + coefficient) % n, 0n);
}

/** 1, x, x², … mod n: what the commitments to a polynomial are weighted with to evaluate it in the exponent. */
export function powers(x: number, count: number, n: bigint): readonly bigint[] {
  const out = [1n];
  while (out.length < count) out.push(((out.at(-1) ?? 1n) * BigInt(x)) % n);
  return out;
}

/**
 * The Lagrange coefficient of participant `i` at `x`: the weight of its share in f(x).
 *
 *   λ_i(x) = ∏_{j ≠ i} (x − j) / (i − j)   mod n        RFC 9591 §4.2 for x = 0
 *
 * @param i   one of `set`; participants are numbered from 1, since 0 would be the secret itself
 * @param set those who contribute, without repetition
 * @throws {Bug} if `i` is not in `set`, or `set` repeats a participant
 */
export function lagrange({ i, set, x, n }: { i: number; set: readonly number[]; x: number; n: bigint }): bigint {
  const { numerator, denominator } = lagrangeFraction(i, set, x);
  return mod(numerator * inverse(mod(denominator, n), n), n);
}

const maxRemembered = 1_000;
/** By the order n, then the set. */
const remembered = new Map<bigint, ReturnType<typeof boundedMap<string, readonly bigint[]>>>();

/** λ_i(0) of each of a set, in its order. Remembered: the same few sets sign again and again. */
export function lagrangeAtZero(set: readonly number[], n: bigint): readonly bigint[] {
  const known = remembered.get(n) ?? boundedMap(maxRemembered);
  remembered.set(n, known);
  const name = set.join();
  const coefficients = known.get(name) ?? set.map((i) => lagrange({ i, set, x: 0, n }));
  known.set(name, coefficients);
  return coefficients;
}

/** λ_i(x) as integers, before it is reduced: small where the participant numbers are. */
export function lagrangeFraction(i: number, set: readonly number[], x: number): { numerator: bigint; denominator: bigint } {
  assert(set.includes(i) && new Set(set).size === set.length, 'the participant is one of a set without repetition');
  let numerator = 1n;
  let denominator = 1n;
  for (const j of set) {
    if (j === i) continue;
    numerator *= BigInt(x - j);
    denominator *= BigInt(i - j);
  }
  return { numerator, denominator };
}

/** f(0) from shares of exactly as many participants as determine f. */
export function interpolateAtZero(shares: ReadonlyMap<number, bigint>, n: bigint): bigint {
  const coefficients = lagrangeAtZero([...shares.keys()], n);
  let sum = 0n;
  let at = 0;
  for (const share of shares.values()) sum += (coefficients[at++] ?? 0n) * share;
  return sum % n;
}

/** The residue in [0, n). */
export function mod(a: bigint, n: bigint): bigint {
  const residue = a % n;
  return residue < 0n ? residue + n : residue;
}

/** All subsets of `size` elements, in lexicographic order of positions. */
export function subsetsOf(elements: readonly number[], size: number): readonly (readonly number[])[] {
  if (size === 0) return [[]];
  return elements.flatMap((first, at) => subsetsOf(elements.slice(at + 1), size - 1).map((rest) => [first, ...rest]));
}

/**
 * The one check of a session's participants.
 * @throws {Bug} unless they are distinct whole numbers from 1 to 65535, ascending, and the threshold is at least 1 and below their number
 */
export function assertParticipants(participants: readonly number[], threshold: number): void {
  assert(
    participants.every((p, at) => Number.isInteger(p) && p >= 1 && p <= 0xffff && (at === 0 || p > (participants[at - 1] ?? 0))),
    'participants are distinct numbers from 1 to 65535, ascending',
  );
  assert(Number.isInteger(threshold) && threshold >= 1 && threshold < participants.length, 'the threshold is from 1 to n − 1');
}
