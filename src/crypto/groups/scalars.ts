/**
 * Scalars of a prime-order group as bytes: 32 of them, in the order of bytes the curve's own standard has.
 * @module
 */

import { fromBigInt, toBigInt } from '../../base/bytes.ts';
import { assert } from '../../base/errors.ts';
import type { Group } from './group.ts';

const scalarBytes = 32;

/** The scalar part of a group. Variable time: it goes through `bigint`. */
export function scalarsOf(order: bigint, endianness: 'big' | 'little'): Pick<Group, 'encodeScalar' | 'decodeScalar' | 'randomScalar'> {
  const unusedBits = 8 * scalarBytes - order.toString(2).length;
  const oriented = (bytes: Uint8Array) => (endianness === 'big' ? bytes : bytes.toReversed());

  return {
    encodeScalar(scalar) {
      assertScalar(scalar, order);
      return oriented(fromBigInt(scalar, scalarBytes));
    },

    decodeScalar(bytes) {
      if (bytes.length !== scalarBytes) throw new Error(`a scalar has ${scalarBytes} bytes`);
      const scalar = toBigInt(oriented(bytes));
      if (scalar >= order) throw new Error('the scalar is not below the order of the group');
      return scalar;
    },

    randomScalar() {
      for (;;) {
        const bytes = crypto.getRandomValues(new Uint8Array(scalarBytes));
        const scalar = toBigInt(bytes) >> BigInt(unusedBits);
        bytes.fill(0);
        if (scalar > 0n && scalar < order) return scalar;
      }
    },
  };
}

/** @throws {Bug} unless 0 ≤ scalar < order */
export function assertScalar(scalar: bigint, order: bigint): void {
  assert(scalar >= 0n && scalar < order, 'a scalar is in [0, order)');
}
