/**
 * secp256k1 over libsecp256k1 (npm `secp256k1`, its native part).
 *
 * A point is kept as its 65 uncompressed bytes, because those are parsed without a square root; the identity, which the library does
 * not know, is the empty array. The library writes into fresh arrays here, never into a caller's.
 * @module
 */

import { equal } from '../../base/bytes.ts';
import { libsecp256k1 } from '../native.ts';
import type { Group, Point } from './group.ts';
import { linearCombinationOver } from './linearCombination.ts';
import { scalarsOf } from './scalars.ts';

type Library = NonNullable<typeof libsecp256k1>;

/** A multiplication costs about as much as adding this many points. */
const copiesAtMost = 8n;

export const secp256k1Native: Group | undefined = libsecp256k1 && secp256k1Over(libsecp256k1);

function secp256k1Over(library: Library): Group {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const { encodeScalar, ...scalars } = scalarsOf(order, 'big');
  const outer = (bytes: Uint8Array) => bytes as unknown as Point; // the brand hides the form from the users of the group
  const inner = (point: Point) => point as unknown as Uint8Array;
  const identity = outer(new Uint8Array(0));
  const isIdentity = (point: Point) => inner(point).length === 0;
  const base = multiplyBase(1n);

  /** Both scalar multiplications are the library's constant-time ones. */
  function multiplyBase(scalar: bigint): Point {
    if (scalar === 0n) return identity;
    const secret = encodeScalar(scalar);
    try {
      return outer(library.publicKeyCreate(secret, false));
    } finally {
      secret.fill(0);
    }
  }

  /** Through ECDH with an identity hash: `publicKeyTweakMul` is variable time. */
  function multiply(point: Point, scalar: bigint): Point {
    if (scalar === 0n || isIdentity(point)) return identity;
    const secret = encodeScalar(scalar);
    const product = new Uint8Array(65);
    try {
      library.ecdh(inner(point), secret, { hashfn: (x, y) => uncompressed(product, x, y) }, product);
      return outer(product);
    } finally {
      secret.fill(0);
    }
  }

  function multiplyVariableTime(point: Point, scalar: bigint): Point {
    if (isIdentity(point)) return identity;
    if (point === base) return multiplyBase(scalar); // has tables, and is faster still
    return outer(library.publicKeyTweakMul(inner(point), encodeScalar(scalar), false));
  }

  function negate(point: Point): Point {
    return isIdentity(point) ? identity : outer(library.publicKeyNegate(inner(point), false));
  }

  function add(...points: readonly Point[]): Point {
    const terms = points.filter((point) => !isIdentity(point));
    if (terms.length < 2) return terms[0] ?? identity;
    try {
      return outer(library.publicKeyCombine(terms.map(inner), false));
    } catch (error) {
      if (error instanceof Error && error.message === 'The sum of the public keys is not valid') return identity;
      throw error;
    }
  }

  return {
    curve: 'secp256k1',
    implementation: 'native',
    order,
    pointBytes: 33,
    base,
    identity,
    encodeScalar,
    ...scalars,

    multiplyBase,
    multiply,
    add,
    negate,
    linearCombination: linearCombinationOver({ order, add, negate }, { copiesAtMost, multiply: multiplyVariableTime }),
    equals: (a, b) => equal(inner(a), inner(b)),
    isIdentity,

    encodePoint(point) {
      if (isIdentity(point)) throw new Error('the identity is not encoded');
      return library.publicKeyConvert(inner(point), true);
    },

    decodePoint(bytes) {
      if (bytes.length !== 33) throw new Error('a point of secp256k1 has 33 bytes');
      return outer(library.publicKeyConvert(bytes, false));
    },
  };
}

function uncompressed(out: Uint8Array, x: Uint8Array, y: Uint8Array): Uint8Array {
  out[0] = 4;
  out.set(x, 1);
  out.set(y, 33);
  return out;
}
