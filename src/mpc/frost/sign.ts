/**
 * FROST, round two: a signer's share of the signature (RFC 9591 §5.2).
 *
 *   z_i = d_i + e_i·ρ_i + λ_i·x_i·c
 *
 * with x_i the share of the key that the payload is signed with, and the nonces negated where the suite says so.
 * @module
 */

import { equal } from '../../base/bytes.ts';
import { Abort } from '../../base/errors.ts';
import type { Payload } from '../../crypto/schemes/scheme.ts';
import { mod } from '../shamir.ts';
import type { Ciphersuite } from './ciphersuite.ts';
import type { Commitment, Nonces } from './commit.ts';
import { groupCommitment } from './groupCommitment.ts';

/**
 * Uses the nonces up, whether it succeeds or not.
 *
 * @param use.secret      own share, 32 bytes
 * @param use.publicKey   the key as generated; Schnorr: the internal key
 * @param use.commitments of all who sign, own included: t + 1 or more
 * @returns z_i, 32 bytes, and the R that all shares of this signature belong to, encoded
 * @throws {Abort} if the nonces were used before, or are not those committed to, or the set is too small; naming whose commitment is bad
 * @throws {Refusal} BadRequest if the payload is not one of this scheme; Schnorr: without a merkle root
 */
export function signShare(use: {
  suite: Ciphersuite;
  index: number;
  threshold: number;
  secret: Uint8Array;
  publicKey: Uint8Array;
  nonces: Nonces;
  commitments: ReadonlyMap<number, Commitment>;
  payload: Payload;
}): { z: Uint8Array; R: Uint8Array } {
  const { suite, index, threshold, publicKey, nonces, commitments, payload } = use;
  return nonces.secrets.spend((secrets) => {
    const { group } = suite;
    const n = group.order;
    const d = group.decodeScalar(secrets.subarray(0, 32));
    const e = group.decodeScalar(secrets.subarray(32));
    if (commitments.size <= threshold) throw new Abort([], 'frost: more than the threshold sign');
    requireOwn(nonces.commitment, commitments.get(index));

    const key = suite.signingKey(publicKey, payload);
    const own = { index, share: (rho: bigint) => group.multiplyBase((d + e * rho) % n) };
    const { R, c, bindingFactors, negated, lambda } = groupCommitment({ suite, key, commitments, message: payload.bytes }, own);

    const x = mod(key.sign * group.decodeScalar(use.secret) + key.tweak, n);
    const k = d + e * (bindingFactors.get(index) ?? 0n);
    return { z: group.encodeScalar(mod((negated ? -k : k) + ((lambda(index) * c) % n) * x, n)), R };
  });
}

/** A coordinator that lists another commitment for us wants us to sign with an R that is not ours. */
function requireOwn(own: Commitment, listed: Commitment | undefined): void {
  if (!listed || !equal(own.hiding, listed.hiding) || !equal(own.binding, listed.binding)) {
    throw new Abort([], 'frost: the own commitment is not in the list');
  }
}
