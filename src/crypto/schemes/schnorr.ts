/**
 * Schnorr signatures of Bitcoin: BIP-340, under keys tweaked as in BIP-341.
 * @module
 */

import { concat, equal, toBigInt } from '../../base/bytes.ts';
import type { Group } from '../groups/group.ts';
import type { Scheme, Signature } from './scheme.ts';
import { taggedHash } from './taggedHash.ts';
import { tapTweak } from './taproot.ts';

const hashChallenge = taggedHash('BIP0340/challenge');

/** The payload is a 32-byte digest; its merkle root must be there, or `untweaked`. */
export function schnorrOver(group: Group): Scheme {
  return {
    name: 'Schnorr',
    curve: group.curve,
    verify(publicKey, { bytes, taprootMerkleRoot }, signature) {
      if (taprootMerkleRoot === undefined || bytes.length !== 32) return false;
      try {
        const signingKey = taprootMerkleRoot === 'untweaked' ? xOnly(group, publicKey) : tapTweak(publicKey, taprootMerkleRoot).outputKey;
        return verifyBip340(group, signingKey, bytes, signature);
      } catch {
        return false; // not a key, not a merkle root
      }
    },
  };
}

/** @throws {Error} unless it is a key, 33 bytes compressed */
function xOnly(group: Group, publicKey: Uint8Array): Uint8Array {
  group.decodePoint(publicKey);
  return publicKey.subarray(1);
}

/**
 * The challenge e of BIP-340, reduced.
 * @param r x(R), 32 bytes
 * @param publicKey x-only, 32 bytes
 */
export function bip340Challenge(group: Group, r: Uint8Array, publicKey: Uint8Array, message: Uint8Array): bigint {
  return toBigInt(hashChallenge(r, publicKey, message)) % group.order;
}

/**
 * BIP-340 "Verification": R = s·G − e·P has an even y and x(R) = r. Malformed input is `false`.
 * @param publicKey x-only, 32 bytes
 * @param message any length
 */
export function verifyBip340(group: Group, publicKey: Uint8Array, message: Uint8Array, { r, s }: Signature): boolean {
  if (publicKey.length !== 32 || r.length !== 32) return false;
  try {
    const P = group.decodePoint(concat(Uint8Array.of(0x02), publicKey));
    const e = bip340Challenge(group, r, publicKey, message);
    const R = group.linearCombination([group.decodeScalar(s), (group.order - e) % group.order], [group.base, P]);
    return equal(group.encodePoint(R), concat(Uint8Array.of(0x02), r));
  } catch {
    return false; // a key off the curve, s not below the order, R at infinity
  }
}
