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
  const half = group.order >> 1n;
  return (scalars, points) => {
    assert(scalars.length === points.length, 'every scalar has its point');
    const terms: Point[] = [];
    for (const [i, point] of points.entries()) {
      const scalar = scalars[i] ?? 0n;
      assertScalar(scalar, group.order);
      const isNegative = scalar > half;
      const size = isNegative ? group.order - scalar : scalar;
      if (size > options.copiesAtMost) {
        terms.push(options.multiply(point, scalar)); // of the point itself, which may have tables
      } else if (size > 0n) {
        const copy = isNegative ? group.negate(point) : point;
        for (let copies = Number(size); copies > 0; copies--) terms.push(copy);
      }
    }
    return group.add(...terms);
  };
}
