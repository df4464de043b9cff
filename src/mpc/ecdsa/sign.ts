/**
 * A signer's part of an ECDSA signature: one message, no exchange. DJNPO20 with re-randomised presignatures (binding.ts).
 *
 *   num_i = φ_i·(h + r·x_i) + zero_i        w_i = u_i + d·φ_i + zero′_i
 *
 * so that num = φ·(h + r·x) and w = φ·(k + d), and s = num / w. The sharings of zero, of degree 2t, hide everything else in the
 * two products; their labels bind all that the signers must agree on.
 * @module
 */

import { concat, utf8 } from '../../base/bytes.ts';
import { assert } from '../../base/errors.ts';
import { groupOf } from '../../crypto/groups/index.ts';
import type { EcdsaCurve } from '../protocols.ts';
import { pseudoRandomSharing, type Seeds } from '../prss.ts';
import { bind } from './binding.ts';
import type { Presignature } from './presign.ts';

/** Before the hash of what is bound, the label of the two sharings of zero. */
const domain = utf8('countersign/ecdsa/mask/v2');

/**
 * Uses the presignature up, whether it succeeds or not.
 *
 * @param use.secret own share of the key, 32 bytes
 * @returns num_i ‖ w_i, 64 bytes, for the coordinator, and R', encoded
 * @throws {Abort} if the presignature was used before
 * @throws {Refusal} BadRequest if the digest cannot be signed on this curve
 */
export function signShare(use: {
  curve: EcdsaCurve;
  seeds: Seeds;
  presignature: Presignature;
  secret: Uint8Array;
  publicKey: Uint8Array;
  digest: Uint8Array;
}): { share: Uint8Array; R: Uint8Array } {
  const { curve, seeds, presignature, secret, publicKey, digest } = use;
  return presignature.secrets.spend((secrets) => {
    assert(presignature.curve === curve, 'a presignature signs on its own curve');
    const group = groupOf(curve);
    const n = group.order;
    const phi = group.decodeScalar(secrets.subarray(0, 32));
    const u = group.decodeScalar(secrets.subarray(32));
    const x = group.decodeScalar(secret);

    const { h, r, d, rerandomised, binding } = bind({ ...presignature, publicKey, digest });
    const { zero } = pseudoRandomSharing(seeds, n)([domain, binding], { random: 0, zero: 2 });
    const num = (phi * ((h + r * x) % n) + (zero[0] ?? 0n)) % n;
    const w = (u + d * phi + (zero[1] ?? 0n)) % n;
    return { share: concat(group.encodeScalar(num), group.encodeScalar(w)), R: rerandomised };
  });
}
