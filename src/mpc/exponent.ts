/**
 * Shamir's sharing in the exponent: from points X_i = f(i)·G of one set of participants to f(0)·G, with the check that f has the
 * degree it should have. All values are public.
 * @module
 */

import { assert } from '../base/errors.ts';
import type { Group, Point } from '../crypto/groups/group.ts';
import { inverse } from '../crypto/inverse.ts';
import { lagrangeFraction, mod, subsetsOf } from './shamir.ts';

/** A fixed set of participants whose points are interpolated: made once, used for many lists of points. */
export interface Interpolation {
  /**
   * @param points in the order of the participants
   * @returns f(0)·G, or undefined when the points are not those of one polynomial of the degree
   */
  atZero(points: readonly Point[]): Point | undefined;
}

/**
 * f(0)·G is taken from those degree + 1 participants whose coefficients are whole, hence small, numbers ({1, 2} of {1, 2, 3}:
 * 2·X_1 − X_2), where there are such; every other participant's point must then be where the polynomial puts it (X_3 = 2·X_2 − X_1).
 */
export function interpolation({
  group,
  participants,
  degree,
}: {
  group: Group;
  participants: readonly number[];
  degree: number;
}): Interpolation {
  assert(participants.length > degree, 'a polynomial is determined by more points than its degree');
  const bases = subsetsOf(participants, degree + 1);
  const basis = bases.find((set) => combinationAt(0, set).denominator === 1n) ?? bases[0] ?? [];
  const { order } = group;
  const reduced = (weights: readonly bigint[]) => weights.map((weight) => mod(weight, order));
  const position = (participant: number) => participants.indexOf(participant);
  const basePositions = basis.map(position);
  const zero = combinationAt(0, basis);
  const zeroWeights = reduced(zero.weights.map((weight) => weight * inverse(zero.denominator, order)));
  const checks = participants
    .filter((j) => !basis.includes(j))
    .map((j) => {
      const { weights, denominator } = combinationAt(j, basis);
      return { positions: [...basePositions, position(j)], weights: reduced([...weights, -denominator]) };
    });

  return {
    atZero(points) {
      assert(points.length === participants.length, 'every participant has its point');
      const combined = (weights: readonly bigint[], positions: readonly number[]) =>
        group.linearCombination(
          weights,
          positions.map((at) => points[at] ?? group.identity),
        );
      // That a sum is the identity shows before it is brought to a form that can be compared, which costs more than the sum.
      for (const { weights, positions } of checks) if (!group.isIdentity(combined(weights, positions))) return undefined;
      return combined(zeroWeights, basePositions);
    },
  };
}

/** f(x) = Σ weights[k] · f(set[k]) / denominator, in whole numbers. */
function combinationAt(x: number, set: readonly number[]): { weights: readonly bigint[]; denominator: bigint } {
  const fractions = set.map((i) => lagrangeFraction(i, set, x));
  const denominator = fractions.map((fraction) => absolute(fraction.denominator)).reduce(leastCommonMultiple, 1n);
  const weights = fractions.map((fraction) => (fraction.numerator * denominator) / fraction.denominator);
  const common = weights.reduce((a, b) => greatestCommonDivisor(a, absolute(b)), denominator);
  return { weights: weights.map((weight) => weight / common), denominator: denominator / common };
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}

function leastCommonMultiple(a: bigint, b: bigint): bigint {
  return (a / greatestCommonDivisor(a, b)) * b;
}

function absolute(a: bigint): bigint {
  return a < 0n ? -a : a;
}
