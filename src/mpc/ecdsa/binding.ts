/**
 * What a presignature is used for, bound into one hash: everything that all signers of one signature must agree on. Two signers that are
 * shown different things compute independent masks, and what is combined of theirs is noise.
 *
 *   binding = SHA-512(batch, number, curve, signing set, R, h, public key)
 *   d = binding mod n,  R' = R + d·G,  r = x(R') mod n
 *
 * The re-randomisation by d is that of Groth and Shoup (ePrint 2021/1330): presignatures together with additive key derivation, or with
 * digests that the caller chooses, are open to an attack by Wagner's algorithm without it.
 * @module
 */

import { lengthPrefixed, toBigInt, u32, utf8 } from '../../base/bytes.ts';
import { Abort, Refusal } from '../../base/errors.ts';
import type { Point } from '../../crypto/groups/group.ts';
import { groupOf } from '../../crypto/groups/index.ts';
import { sha512 } from '../../crypto/hash.ts';
import { encodeNumbers } from '../messages.ts';
import type { EcdsaCurve } from '../protocols.ts';

export interface Use {
  readonly curve: EcdsaCurve;
  /** 33 bytes. Of a child it is the child's own: a derivation is bound by what it comes to. */
  readonly publicKey: Uint8Array;
  /** 32 bytes. On stark below 2²⁵¹. */
  readonly digest: Uint8Array;
  readonly batch: Uint8Array;
  readonly number: number;
  readonly participants: readonly number[];
  /** 33 bytes. */
  readonly R: Uint8Array;
  /** R, decoded, where that has been done. */
  readonly point?: Point;
}

/** What a signature shows of R'. */
export interface Shown {
  readonly r: bigint;
  /** Parity of y(R') in bit 0, whether x(R') ≥ n in bit 1. */
  readonly recid: number;
}

export interface Bound extends Shown {
  readonly h: bigint;
  readonly d: bigint;
  /** R', encoded. */
  readonly rerandomised: Uint8Array;
  /** The hash of all that is bound, 64 bytes. Public. */
  readonly binding: Uint8Array;
}

const domain = utf8('countersign/ecdsa/v1');
const curveNames = { secp256k1: utf8('secp256k1'), stark: utf8('stark') } as const satisfies Record<EcdsaCurve, Uint8Array>;

/** The STARK curve's verifiers hold digest and r in 251 bits. */
const starkBound = 2n ** 251n;

/**
 * @throws {Refusal} BadRequest if the digest cannot be signed on this curve
 * @throws {Abort} for an R that is no point, or the negligible chances: another presignature then serves
 */
export function bind({ curve, publicKey, digest, batch, number, participants, R, point }: Use): Bound {
  const group = groupOf(curve);
  const n = group.order;
  const h = hashed(curve, digest, n);
  const binding = sha512(
    lengthPrefixed(domain, batch, u32(number), curveNames[curve], encodeNumbers(participants), R, group.encodeScalar(h), publicKey),
  );

  const d = toBigInt(binding) % n;
  const moved = group.shift(point ?? decode(R), d);
  if (d === 0n || group.isIdentity(moved)) throw new Abort([], 'ecdsa: R′ is not usable');
  const rerandomised = group.encodePoint(moved);
  const shown = shownOf(curve, rerandomised);
  if (shown.r === 0n || (curve === 'stark' && shown.r >= starkBound)) throw new Abort([], 'ecdsa: r is not usable');
  return { h, d, ...shown, rerandomised, binding };

  function decode(point: Uint8Array) {
    try {
      return group.decodePoint(point);
    } catch (cause) {
      throw new Abort([], 'ecdsa: R is not a point', { cause });
    }
  }
}

/** @param rerandomised R', encoded: 33 bytes */
export function shownOf(curve: EcdsaCurve, rerandomised: Uint8Array): Shown {
  const n = groupOf(curve).order;
  const x = toBigInt(rerandomised.subarray(1));
  return { r: x % n, recid: (rerandomised[0] === 0x03 ? 1 : 0) + (x >= n ? 2 : 0) };
}

/** The digest as the integer that is signed. A signature over zero proves nothing: anybody can make one (R = v·P, s = r/v). */
function hashed(curve: EcdsaCurve, digest: Uint8Array, n: bigint): bigint {
  const value = toBigInt(digest);
  if (digest.length !== 32) throw new Refusal('BadRequest', 'a digest has 32 bytes');
  if (curve === 'stark' && value >= starkBound) throw new Refusal('BadRequest', 'a digest for the STARK curve is below 2^251');
  const h = value % n;
  if (h === 0n) throw new Refusal('BadRequest', 'a digest that is zero is not signed');
  return h;
}
