/**
 * Curve arithmetic behind one interface: a group of prime order, written additively. Each curve has a noble implementation and, where
 * a prebuilt native library exists, a native one, chosen at start by `groups/index.ts`; both run the same tests.
 *
 * A `Point` is opaque: each implementation has its own form, and points of two implementations never mix. Scalars are `bigint` in
 * [0, order); the bigint arithmetic itself is variable time (docs/protocols.md says what that means).
 * @module
 */

import type { Curve } from '../../base/keyTypes.ts';

declare const brand: unique symbol;
export interface Point {
  readonly [brand]: 'Point';
}

export interface Group {
  readonly curve: Curve;
  readonly implementation: 'native' | 'noble';
  /** The prime order of the group. */
  readonly order: bigint;
  /** Bytes of an encoded point: 33 (SEC 1 compressed) for secp256k1 and stark, 32 (RFC 8032) for ed25519. */
  readonly pointBytes: number;
  /** Bytes of a point in full: 65 (SEC 1 uncompressed) for secp256k1 and stark; 32 for ed25519, which knows no other form. */
  readonly fullPointBytes: number;
  readonly base: Point;
  readonly identity: Point;

  /** scalar · base. */
  multiplyBase(scalar: bigint): Point;
  /** scalar · point. */
  multiply(point: Point, scalar: bigint): Point;
  /** point + scalar · base. Variable time, in the scalar too: for public values. */
  shift(point: Point, scalar: bigint): Point;
  add(...points: readonly Point[]): Point;
  /**
   * Σ scalars[i] · points[i]. Variable time, in the scalars too: for public values, such as Lagrange coefficients over commitments.
   * Much cheaper than its terms alone where a scalar is small, or small below the order.
   */
  linearCombination(scalars: readonly bigint[], points: readonly Point[]): Point;
  /** Makes the multiples of this very point in variable time quicker from now on, where the implementation has a way; it takes memory. */
  tabulate(point: Point): void;
  negate(point: Point): Point;
  equals(a: Point, b: Point): boolean;
  isIdentity(point: Point): boolean;

  /** @throws {Error} for the identity, which has no encoding on secp256k1 and stark and no use on ed25519 */
  encodePoint(point: Point): Uint8Array;
  /**
   * @throws {Error} for a wrong length, a non-canonical encoding, a point off the curve, outside the prime-order subgroup, or the
   * identity
   */
  decodePoint(bytes: Uint8Array): Point;
  /**
   * scalar · decodePoint(bytes), in variable time. Where the multiplication checks the point by itself, it is not checked twice.
   * @throws {Error} as `decodePoint` does
   */
  multiplyEncoded(bytes: Uint8Array, scalar: bigint): Point;
  /** The form for short ways: twice as long where there are two coordinates, and decoded without a square root. @throws {Error} for the identity */
  encodeFullPoint(point: Point): Uint8Array;
  /** @throws {Error} as `decodePoint` does */
  decodeFullPoint(bytes: Uint8Array): Point;
  /** 32 bytes: big-endian for secp256k1 and stark, little-endian for ed25519 (RFC 9591 §6). */
  encodeScalar(scalar: bigint): Uint8Array;
  /** @throws {Error} for a wrong length or a value not below the order */
  decodeScalar(bytes: Uint8Array): bigint;
  /** Uniform in [1, order), by rejection from the system's generator. */
  randomScalar(): bigint;
}
