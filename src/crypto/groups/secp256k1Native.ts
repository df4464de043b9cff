/**
 * secp256k1 over libsecp256k1 (npm `secp256k1`, its native part).
 *
 * A point is kept as its 65 uncompressed bytes, because those are parsed without a square root; the identity, which the library does
 * not know, is the empty array. Points are public and lie in the memory that Node keeps for small buffers, except products of a secret
 * and a point, which may be secrets themselves.
 * @module
 */

import { toBigInt } from '../../base/bytes.ts';
import { assert } from '../../base/errors.ts';
import { type Libsecp256k1, libsecp256k1 } from '../native.ts';
import type { Group, Point } from './group.ts';
import { linearCombinationOver } from './linearCombination.ts';
import { assertScalar, scalarPassage, scalarsOf } from './scalars.ts';

/** A multiplication costs about as much as adding this many points. */
const copiesAtMost = 8n;
const compressedBytes = 33;
const fullBytes = 65;

export const secp256k1Native: Group | undefined = libsecp256k1 && secp256k1Over(libsecp256k1);

function secp256k1Over(library: Libsecp256k1): Group {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const withScalar = scalarPassage(order, 'big');
  const compressed = Buffer.allocUnsafeSlow(compressedBytes);
  const [x, y, signature] = [Buffer.alloc(32), Buffer.alloc(32), Buffer.alloc(64)];
  const outer = (bytes: Buffer) => bytes as unknown as Point; // the brand hides the form from the users of the group
  const inner = (point: Point) => point as unknown as Buffer;
  const identity = outer(Buffer.alloc(0));
  const isIdentity = (point: Point) => inner(point).length === 0;
  const base = multiplyBase(1n);

  /** Both scalar multiplications are the library's constant-time ones. */
  function multiplyBase(scalar: bigint): Point {
    if (scalar === 0n) return identity;
    const product = Buffer.allocUnsafe(fullBytes);
    done(withScalar(scalar, (secret) => library.publicKeyCreate(product, secret)));
    return outer(product);
  }

  /** Through ECDH with an identity hash: `publicKeyTweakMul` is variable time. */
  function multiply(point: Point, scalar: bigint): Point {
    if (scalar === 0n || isIdentity(point)) return identity;
    const product = Buffer.allocUnsafeSlow(fullBytes);
    const write = () => {
      product[0] = 4;
      product.set(x, 1);
      product.set(y, 33);
      return product;
    };
    try {
      done(withScalar(scalar, (secret) => library.ecdh(product, inner(point), secret, undefined, write, x, y)));
      return outer(product);
    } finally {
      x.fill(0);
      y.fill(0);
    }
  }

  function multiplyVariableTime(point: Point, scalar: bigint): Point {
    if (scalar === 0n || isIdentity(point)) return identity;
    if (point === base) return multiplyBase(scalar); // has tables, and is faster still
    const product = Buffer.allocUnsafe(fullBytes);
    done(withScalar(scalar, (tweak) => library.publicKeyTweakMul(product, inner(point), tweak)));
    return outer(product);
  }

  function shift(point: Point, scalar: bigint): Point {
    if (isIdentity(point)) return multiplyBase(scalar);
    const sum = Buffer.allocUnsafe(fullBytes);
    return sumOf(
      sum,
      withScalar(scalar, (tweak) => library.publicKeyTweakAdd(sum, inner(point), tweak)),
    );
  }

  function negate(point: Point): Point {
    if (isIdentity(point)) return identity;
    const negative = Buffer.allocUnsafe(fullBytes);
    done(library.publicKeyNegate(negative, inner(point)));
    return outer(negative);
  }

  function add(...points: readonly Point[]): Point {
    const terms = points.some(isIdentity) ? points.filter((point) => !isIdentity(point)) : points;
    if (terms.length < 2) return terms[0] ?? identity;
    const sum = Buffer.allocUnsafe(fullBytes);
    return sumOf(sum, library.publicKeyCombine(sum, terms as readonly unknown[] as readonly Buffer[]));
  }

  function sumOf(sum: Buffer, code: number): Point {
    if (code === 2) return identity;
    done(code);
    return outer(sum);
  }

  function decodePoint(bytes: Uint8Array): Point {
    if (bytes.length !== compressedBytes) throw new Error('a point of secp256k1 has 33 bytes');
    compressed.set(bytes);
    const point = Buffer.allocUnsafe(fullBytes);
    if (library.publicKeyConvert(point, compressed) !== 0) throw new Error('not a point of secp256k1');
    return outer(point);
  }

  const sumOfMultiples = linearCombinationOver({ order, add, negate }, { copiesAtMost, multiply: multiplyVariableTime });

  function linearCombination(scalars: readonly bigint[], points: readonly Point[]): Point {
    const [first, point = identity] = points;
    const isOfBaseAndAnother = first === base && points.length === 2 && scalars.length === 2;
    const both = isOfBaseAndAnother ? multiplyBaseAndAnother(scalars[0] ?? 0n, scalars[1] ?? 0n, point) : undefined;
    return both ?? sumOfMultiples(scalars, points);
  }

  /**
   * a·base + b·point, as verifiers need it, in the time of three quarters of the two: recovering a key from a signature (SEC 1 §4.1.6) is
   * r⁻¹·(s·R − z·base) for an R with x(R) = r. Undefined for what is not asked for in that way.
   */
  function multiplyBaseAndAnother(a: bigint, b: bigint, point: Point): Point | undefined {
    assertScalar(a, order);
    assertScalar(b, order);
    const r = isIdentity(point) ? order : toBigInt(inner(point).subarray(1, 33));
    if (r >= order || b === 0n) return undefined;
    signature.set(inner(point).subarray(1, 33));
    const sum = Buffer.allocUnsafe(fullBytes);
    const isOdd = inner(point).readUInt8(fullBytes - 1) % 2;
    withScalar((r * b) % order, (s) => signature.set(s, 32));
    return sumOf(
      sum,
      withScalar((r * (order - a)) % order, (z) => library.ecdsaRecover(sum, signature, isOdd, z)),
    );
  }

  return {
    curve: 'secp256k1',
    implementation: 'native',
    order,
    pointBytes: compressedBytes,
    fullPointBytes: fullBytes,
    base,
    identity,
    ...scalarsOf(order, 'big'),

    multiplyBase,
    multiply,
    shift,
    add,
    negate,
    linearCombination,
    tabulate: () => undefined,
    equals: (a, b) => inner(a).equals(inner(b)),
    isIdentity,

    encodePoint(point) {
      if (isIdentity(point)) throw new Error('the identity is not encoded');
      const bytes = new Uint8Array(compressedBytes);
      const full = inner(point);
      for (let at = 1; at < compressedBytes; at++) bytes[at] = full.readUInt8(at);
      bytes[0] = full.readUInt8(fullBytes - 1) % 2 === 0 ? 2 : 3;
      return bytes;
    },
    decodePoint,
    multiplyEncoded: (bytes, scalar) => multiplyVariableTime(decodePoint(bytes), scalar),

    encodeFullPoint(point) {
      if (isIdentity(point)) throw new Error('the identity is not encoded');
      return Buffer.from(inner(point));
    },
    decodeFullPoint(bytes) {
      if (bytes.length !== fullBytes || bytes[0] !== 4) throw new Error('a point of secp256k1 in full has 65 bytes, the first of them 4');
      const point = Buffer.from(bytes);
      if (library.publicKeyConvert(point, point) !== 0) throw new Error('not a point of secp256k1');
      return outer(point);
    },
  };
}

function done(code: number): void {
  assert(code === 0, 'libsecp256k1 does what it is asked');
}
