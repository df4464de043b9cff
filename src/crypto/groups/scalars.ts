/**
 * Scalars of a prime-order group as bytes: 32 of them, in the order of bytes the curve's own standard has.
 * @module
 */

import { toBigInt } from '../../base/bytes.ts';
import { assert } from '../../base/errors.ts';
import type { Group } from './group.ts';

const scalarBytes = 32;

/** The scalar part of a group. Variable time: it goes through `bigint`. */
export function scalarsOf(order: bigint, endianness: 'big' | 'little'): Pick<Group, 'encodeScalar' | 'decodeScalar' | 'randomScalar'> {
  const unusedBits = 8 * scalarBytes - order.toString(2).length;
  const isLittle = endianness === 'little';
  // A view of a small array would first move it out of JavaScript's heap: scalars pass through this one, and are overwritten.
  const passage = new Uint8Array(scalarBytes);
  const view = new DataView(passage.buffer);

  return {
    encodeScalar(scalar) {
      assertScalar(scalar, order);
      write(view, scalar, isLittle);
      const bytes = passage.slice();
      passage.fill(0);
      return bytes;
    },

    decodeScalar(bytes) {
      if (bytes.length !== scalarBytes) throw new Error(`a scalar has ${scalarBytes} bytes`);
      passage.set(bytes);
      const scalar = read(view, isLittle);
      passage.fill(0);
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

/** Lends the one memory that scalars pass through on their way into a native library, and overwrites it after each. */
export function scalarPassage(order: bigint, endianness: 'big' | 'little'): <T>(scalar: bigint, use: (bytes: Buffer) => T) => T {
  const bytes = Buffer.allocUnsafeSlow(scalarBytes);
  const view = new DataView(bytes.buffer);
  const isLittle = endianness === 'little';
  return (scalar, use) => {
    assertScalar(scalar, order);
    write(view, scalar, isLittle);
    try {
      return use(bytes);
    } finally {
      bytes.fill(0);
    }
  };
}

/** @throws {Bug} unless 0 ≤ scalar < order */
export function assertScalar(scalar: bigint, order: bigint): void {
  assert(scalar >= 0n && scalar < order, 'a scalar is in [0, order)');
}

function write(view: DataView, scalar: bigint, isLittle: boolean): void {
  for (let at = 0, rest = scalar; at < scalarBytes; at += 8, rest >>= 64n) {
    view.setBigUint64(isLittle ? at : scalarBytes - 8 - at, BigInt.asUintN(64, rest), isLittle);
  }
}

function read(view: DataView, isLittle: boolean): bigint {
  const word = (rank: number) => view.getBigUint64(8 * (isLittle ? rank : 3 - rank), isLittle);
  return (((word(3) << 64n) | word(2)) << 128n) | (word(1) << 64n) | word(0);
}
