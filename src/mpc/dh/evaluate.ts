/**
 * Distributed evaluation of a Diffie-Hellman key at a hashed point, as in GLOW (Galindo, Liu, Ordean, Wong, ePrint 2020/096):
 *
 *   P = hash_to_curve(seed, DST = domain)        Y_i = x_i·P        Y = x·P
 *
 * with suite secp256k1_XMD:SHA-256_SSWU_RO_ of RFC 9380. No exchange: any t + 1 partials make the result.
 * @module
 */

import { concat } from '../../base/bytes.ts';
import { assert } from '../../base/errors.ts';
import { groupOf } from '../../crypto/groups/index.ts';
import { hashToSecp256k1 } from '../../crypto/hashToCurve.ts';
import { prove } from './proof.ts';

/**
 * @param use.secret            own share, 32 bytes
 * @param use.verificationShare x_i·G, 33 bytes
 * @param use.domain            at least one byte
 * @returns Y_i (33 bytes) ‖ proof that it has the logarithm of the verification share (64 bytes)
 */
export function evaluate(use: { secret: Uint8Array; verificationShare: Uint8Array; domain: Uint8Array; seed: Uint8Array }): Uint8Array {
  const { secret, verificationShare: X, domain, seed } = use;
  assert(domain.length > 0, 'a hash to the curve has a domain');
  const group = groupOf('secp256k1');
  const encodedP = hashToSecp256k1({ message: seed, domain });
  const P = group.decodePoint(encodedP);
  const Y = group.encodePoint(group.multiply(P, group.decodeScalar(secret)));
  return concat(Y, prove({ P: encodedP, X, Y }, P, secret));
}
