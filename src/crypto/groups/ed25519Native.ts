/**
 * The prime-order group of edwards25519 over libsodium (npm `sodium-native`).
 *
 * A point is kept as its 32 encoded bytes (RFC 8032 §5.1.2), which is what the library computes with. It refuses the identity as
 * a factor and as a product, so those are answered here.
 * @module
 */

import { libsodium } from '../native.ts';
import type { Group, Point } from './group.ts';
import { linearCombinationOver } from './linearCombination.ts';
import { scalarsOf } from './scalars.ts';

type Library = NonNullable<typeof libsodium>;

/** A multiplication costs about as much as adding this many points. */
const copiesAtMost = 4n;

export const ed25519Native: Group | undefined = libsodium && ed25519Over(libsodium);

function ed25519Over(library: Library): Group {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const { encodeScalar, ...scalars } = scalarsOf(order, 'little');
  const outer = (bytes: Buffer) => bytes as unknown as Point; // the brand hides the form from the users of the group
  const inner = (point: Point) => point as unknown as Buffer;
  const neutral = Buffer.alloc(32);
  neutral[0] = 1;
  const isIdentity = (point: Point) => inner(point).equals(neutral);

  function secretOf(scalar: bigint): Buffer {
    const { buffer, byteOffset, byteLength } = encodeScalar(scalar);
    return Buffer.from(buffer, byteOffset, byteLength);
  }

  /** Both scalar multiplications are the library's constant-time ones. */
  function multiplyBase(scalar: bigint): Point {
    if (scalar === 0n) return outer(neutral);
    const secret = secretOf(scalar);
    const product = Buffer.alloc(32);
    library.crypto_scalarmult_ed25519_base_noclamp(product, secret);
    secret.fill(0);
    return outer(product);
  }

  function multiply(point: Point, scalar: bigint): Point {
    if (scalar === 0n || isIdentity(point)) return outer(neutral);
    const secret = secretOf(scalar);
    const product = Buffer.alloc(32);
    library.crypto_scalarmult_ed25519_noclamp(product, secret, inner(point));
    secret.fill(0);
    return outer(product);
  }

  function add(...points: readonly Point[]): Point {
    const [first = outer(neutral), ...others] = points.filter((point) => !isIdentity(point));
    return others.reduce((sum, point) => {
      const next = Buffer.alloc(32);
      library.crypto_core_ed25519_add(next, inner(sum), inner(point));
      return outer(next);
    }, first);
  }

  /** −(x, y) = (−x, y): the sign of x is the top bit. */
  function negate(point: Point): Point {
    if (isIdentity(point)) return point;
    const negative = Buffer.from(inner(point));
    negative.writeUInt8(negative.readUInt8(31) ^ 0x80, 31);
    return outer(negative);
  }

  return {
    curve: 'ed25519',
    implementation: 'native',
    order,
    pointBytes: 32,
    base: multiplyBase(1n),
    identity: outer(neutral),
    encodeScalar,
    ...scalars,

    multiplyBase,
    multiply,
    add,
    negate,
    linearCombination: linearCombinationOver({ order, add, negate }, { copiesAtMost, multiply }),
    equals: (a, b) => inner(a).equals(inner(b)),
    isIdentity,

    encodePoint(point) {
      if (isIdentity(point)) throw new Error('the identity is not encoded');
      return new Uint8Array(inner(point));
    },

    decodePoint(bytes) {
      const point = Buffer.from(bytes);
      if (bytes.length !== 32) throw new Error('a point of ed25519 has 32 bytes');
      // The library's check covers canonical encoding, curve equation, small order (the identity too) and prime-order subgroup.
      if (!library.crypto_core_ed25519_is_valid_point(point)) throw new Error('the point is not a valid one of ed25519');
      return outer(point);
    },
  };
}
