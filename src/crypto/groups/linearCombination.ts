/**
 * Σ c_i · P_i where many c_i are small, or small below the order, as Lagrange coefficients of few participants are: 2, −1, 3, −3, 1.
 * Such a term is a sum of copies of ±P; the others are multiplied.
 * @module
 */

import { assert } from '../../base/errors.ts';
import type { Group, Point } from './group.ts';
import { assertScalar } from './scalars.ts';

/**
 * Variable time.
 * @param copiesAtMost the largest |c| for which copies are cheaper than a multiplication
 * @param multiply scalar · point, variable time if the implementation has that
 */
export function linearCombinationOver(
  group: Pick<Group, 'order' | 'add' | 'negate'>,
  options: { copiesAtMost: bigint; multiply: Group['multiply'] },
): Group['linearCombination'] {
  function termOf(scalar: bigint, point: Point): readonly Point[] {
    assertScalar(scalar, group.order);
    const negative = scalar > group.order >> 1n;
    const size = negative ? group.order - scalar : scalar;
    const signed = negative ? group.negate(point) : point;
    return size <= options.copiesAtMost ? Array<Point>(Number(size)).fill(signed) : [options.multiply(signed, size)];
  }

  return (scalars, points) => {
    assert(scalars.length === points.length, 'every scalar has its point');
    return group.add(...points.flatMap((point, i) => termOf(scalars[i] ?? 0n, point)));
  };
}
