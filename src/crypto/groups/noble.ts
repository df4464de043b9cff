/**
 * Groups over noble's curves: pure JavaScript, available everywhere, and the oracle of the native ones.
 * @module
 */

import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { Point as StarkPoint } from '@scure/starknet';
import type { Curve } from '../../base/keyTypes.ts';
import type { Group, Point } from './group.ts';
import { linearCombinationOver } from './linearCombination.ts';
import { assertScalar, scalarsOf } from './scalars.ts';
import { decodeStarkPoint, encodeStarkPoint } from './starkEncoding.ts';

StarkPoint.BASE.precompute(8); // a table three times as large, for a fifth less time; made at the first use

/** A multiplication costs more than adding this many points. */
const copiesAtMost = 16n;
/** Of a point's own tables: they cost about one multiplication, and make another an eighth of it. */
const tableWindowBits = 4;

export const nobleGroups: Readonly<Record<Curve, Group>> = {
  secp256k1: nobleGroup({ curve: 'secp256k1', Point: secp256k1.Point, pointBytes: 33, fullPointBytes: 65, endianness: 'big' }),
  stark: nobleGroup({
    curve: 'stark',
    Point: StarkPoint,
    pointBytes: 33,
    fullPointBytes: 65,
    endianness: 'big',
    decompress: decodeStarkPoint,
    write: encodeStarkPoint,
  }),
  ed25519: nobleGroup({ curve: 'ed25519', Point: ed25519.Point, pointBytes: 32, fullPointBytes: 32, endianness: 'little' }),
};

/** What Weierstrass and Edwards points of noble have in common. */
interface NoblePoint<P> {
  add(other: P): P;
  negate(): P;
  equals(other: P): boolean;
  /** Constant number of point operations; refuses 0. */
  multiply(scalar: bigint): P;
  multiplyUnsafe(scalar: bigint): P;
  precompute(windowBits: number): P;
  is0(): boolean;
  isTorsionFree(): boolean;
  toBytes(isCompressed?: boolean): Uint8Array;
}

interface NobleCurve<P> {
  readonly BASE: P;
  readonly ZERO: P;
  readonly Fn: { readonly ORDER: bigint };
  fromBytes(bytes: Uint8Array): P;
}

function nobleGroup<P extends NoblePoint<P>>(parameters: {
  curve: Curve;
  Point: NobleCurve<P>;
  pointBytes: number;
  fullPointBytes: number;
  endianness: 'big' | 'little';
  /** In the place of noble's own. */
  decompress?: (bytes: Uint8Array) => P;
  write?: (point: P, isCompressed: boolean) => Uint8Array;
}): Group {
  const { curve, Point, pointBytes, fullPointBytes, endianness } = parameters;
  const { decompress = (bytes) => Point.fromBytes(bytes), write = (point, isCompressed) => point.toBytes(isCompressed) } = parameters;
  const order = Point.Fn.ORDER;
  const outer = (point: P) => point as unknown as Point; // the brand hides noble's own type from the users of the group
  const inner = (point: Point) => point as unknown as P;

  function multiply(point: P, scalar: bigint): P {
    assertScalar(scalar, order);
    return scalar === 0n || point.is0() ? Point.ZERO : point.multiply(scalar);
  }

  function multiplyVariableTime(point: Point, scalar: bigint): Point {
    assertScalar(scalar, order);
    return outer(inner(point).multiplyUnsafe(scalar));
  }

  const add: Group['add'] = (...points) => {
    const [first = Point.ZERO, ...others] = points.map(inner);
    return outer(others.reduce((sum, point) => sum.add(point), first));
  };
  const negate: Group['negate'] = (point) => outer(inner(point).negate());

  function encode(point: Point, isCompressed: boolean): Uint8Array {
    if (inner(point).is0()) throw new Error('the identity is not encoded');
    return write(inner(point), isCompressed);
  }

  function decode(bytes: Uint8Array, length: number, read: (bytes: Uint8Array) => P): Point {
    if (bytes.length !== length) throw new Error(`a point of ${curve} has ${length} bytes`);
    const point = read(bytes);
    if (point.is0() || !point.isTorsionFree()) throw new Error('the point is the identity, or outside the prime-order subgroup');
    return outer(point);
  }

  const decodePoint: Group['decodePoint'] = (bytes) => decode(bytes, pointBytes, decompress);

  return {
    curve,
    implementation: 'noble',
    order,
    pointBytes,
    fullPointBytes,
    base: outer(Point.BASE),
    identity: outer(Point.ZERO),
    ...scalarsOf(order, endianness),

    multiplyBase: (scalar) => outer(multiply(Point.BASE, scalar)),
    multiply: (point, scalar) => outer(multiply(inner(point), scalar)),
    shift: (point, scalar) => add(point, multiplyVariableTime(outer(Point.BASE), scalar)),
    add,
    negate,
    linearCombination: linearCombinationOver({ order, add, negate }, { copiesAtMost, multiply: multiplyVariableTime }),
    tabulate: (point) => void inner(point).precompute(tableWindowBits),
    equals: (a, b) => inner(a).equals(inner(b)),
    isIdentity: (point) => inner(point).is0(),

    encodePoint: (point) => encode(point, true),
    decodePoint,
    multiplyEncoded: (bytes, scalar) => multiplyVariableTime(decodePoint(bytes), scalar),
    encodeFullPoint: (point) => encode(point, false),
    decodeFullPoint: (bytes) => decode(bytes, fullPointBytes, (full) => Point.fromBytes(full)),
  };
}
