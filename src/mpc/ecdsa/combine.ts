/**
 * The coordinator's part of an ECDSA signature: s = num / w, both interpolated at zero over all 2t + 1 signers.
 * @module
 */

import { Abort, assert } from '../../base/errors.ts';
import { groupOf } from '../../crypto/groups/index.ts';
import { inverse } from '../../crypto/inverse.ts';
import { schemeOf } from '../../crypto/schemes/index.ts';
import type { Signature } from '../../crypto/schemes/scheme.ts';
import { cut, reading } from '../messages.ts';
import { interpolateAtZero } from '../shamir.ts';
import { bind, type Shown, shownOf, type Use } from './binding.ts';

/**
 * @param use.shares       num_i ‖ w_i by participant, of all participants
 * @param use.rerandomised R' as one of the signers says it: saves computing it. Nothing rests on it: a signature that does not verify with
 *                         it is tried with the R' that follows from the rest
 * @returns the signature with low s, verified under the public key
 * @throws {Abort} naming whose share is missing or malformed; without culprit when the signature does not verify, since 2t + 1 shares of
 * degree 2t do not tell which is wrong
 */
export function combine(
  use: Use & { threshold: number; shares: ReadonlyMap<number, Uint8Array>; rerandomised?: Uint8Array | undefined },
): Signature {
  const { curve, threshold, publicKey, digest, participants, shares, rerandomised } = use;
  assert(participants.length === 2 * threshold + 1, 'exactly 2t + 1 signers sign');
  const group = groupOf(curve);
  const n = group.order;

  const nums = new Map<number, bigint>();
  const ws = new Map<number, bigint>();
  for (const i of participants) {
    const [num, w] = reading(i, 'ecdsa', () => cut(shares.get(i) ?? new Uint8Array(0), [32, 32]).map((part) => group.decodeScalar(part)));
    nums.set(i, num ?? 0n);
    ws.set(i, w ?? 0n);
  }

  const w = interpolateAtZero(ws, n);
  if (w === 0n) throw new Abort([], 'ecdsa: w is zero');
  const s = (interpolateAtZero(nums, n) * inverse(w, n)) % n;
  if (s === 0n) throw new Abort([], 'ecdsa: s is zero');
  const isHigh = s > n >> 1n;
  const signatureOf = ({ r, recid }: Shown): Signature => ({
    r: group.encodeScalar(r),
    s: group.encodeScalar(isHigh ? n - s : s),
    recid: isHigh ? recid ^ 1 : recid,
  });

  const { verify } = schemeOf(`ECDSA/${curve}`);
  if (rerandomised?.length === group.pointBytes) {
    const signature = signatureOf(shownOf(curve, rerandomised));
    if (verify(publicKey, { bytes: digest }, signature)) return signature;
  }
  const signature = signatureOf(bind(use));
  if (!verify(publicKey, { bytes: digest }, signature)) throw new Abort([], 'ecdsa: the signature does not verify');
  return signature;
}
