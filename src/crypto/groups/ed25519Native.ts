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
import { scalarPassage, scalarsOf } from './scalars.ts';

type Library = NonNullable<typeof libsodium>;

const pointBytes = 32;
/** A multiplication costs about as much as adding this many points. */
const copiesAtMost = 4n;

export const ed25519Native: Group | undefined = libsodium && ed25519Over(libsodium);

function ed25519Over(library: Library): Group {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const withScalar = scalarPassage(order, 'little');
  const outer = (bytes: Buffer) => bytes as unknown as Point; // the brand hides the form from the users of the group
  const inner = (point: Point) => point as unknown as Buffer;
  const neutral = Buffer.alloc(32);
  neutral[0] = 1;
  const isIdentity = (point: Point) => inner(point).equals(neutral);

  /** Both scalar multiplications are the library's constant-time ones. */
  function multiplyBase(scalar: bigint): Point {
    if (scalar === 0n) return outer(neutral);
    const product = Buffer.allocUnsafe(pointBytes);
    withScalar(scalar, (secret) => library.crypto_scalarmult_ed25519_base_noclamp(product, secret));
    return outer(product);
  }

  /** The library checks the point first, as `decodePoint` does. */
  function multiply(point: Point, scalar: bigint): Point {
    if (scalar === 0n || isIdentity(point)) return outer(neutral);
    const product = Buffer.allocUnsafe(pointBytes);
    withScalar(scalar, (secret) => library.crypto_scalarmult_ed25519_noclamp(product, secret, inner(point)));
    return outer(product);
  }

  function add(...points: readonly Point[]): Point {
    const [first = outer(neutral), ...others] = points.filter((point) => !isIdentity(point));
    return others.reduce((sum, point) => {
      const next = Buffer.allocUnsafe(pointBytes);
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

  function encodePoint(point: Point): Uint8Array {
    if (isIdentity(point)) throw new Error('the identity is not encoded');
    return new Uint8Array(inner(point));
  }

  function decodePoint(bytes: Uint8Array): Point {
    const point = read(bytes);
    // The library's check covers canonical encoding, curve equation, small order (the identity too) and prime-order subgroup.
    if (!library.crypto_core_ed25519_is_valid_point(inner(point))) throw new Error('the point is not a valid one of ed25519');
    return point;
  }

  function multiplyEncoded(bytes: Uint8Array, scalar: bigint): Point {
    const point = read(bytes);
    // What is not left to the library here it does not check.
    return multiply(scalar === 0n || isIdentity(point) ? decodePoint(bytes) : point, scalar);
  }

  function read(bytes: Uint8Array): Point {
    if (bytes.length !== pointBytes) throw new Error('a point of ed25519 has 32 bytes');
    return outer(Buffer.from(bytes));
  }

  return {
    curve: 'ed25519',
    implementation: 'native',
    order,
    pointBytes,
    fullPointBytes: pointBytes,
    base: multiplyBase(1n),
    identity: outer(neutral),
    ...scalarsOf(order, 'little'),

    multiplyBase,
    multiply,
    shift: (point, scalar) => add(point, multiplyBase(scalar)),
    add,
    negate,
    linearCombination: linearCombinationOver({ order, add, negate }, { copiesAtMost, multiply }),
    tabulate: () => undefined,
    equals: (a, b) => inner(a).equals(inner(b)),
    isIdentity,

    encodePoint,
    decodePoint,
    multiplyEncoded,
    encodeFullPoint: encodePoint,
    decodeFullPoint: decodePoint,
  };
}
