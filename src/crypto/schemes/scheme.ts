/**
 * A signature scheme as its verifier sees it: public keys, payloads and signatures as bytes. How several signers make a signature
 * together is `mpc/`'s matter; whatever they make is verified here before it leaves.
 * @module
 */

import { equal } from '../../base/bytes.ts';
import type { Curve, SchemeName } from '../../base/keyTypes.ts';

/** What is signed. */
export interface Payload {
  /** ECDSA, Schnorr: a 32-byte digest. EdDSA: the message, any length. */
  readonly bytes: Uint8Array;
  /**
   * Schnorr only, and then always: the merkle root of the BIP-341 tweak, 32 bytes, or empty for a key without scripts; or `untweaked`, for
   * chains that sign with the internal key itself (Kaspa). Whoever says neither is refused, so that it never happens by accident.
   */
  readonly taprootMerkleRoot?: Uint8Array | 'untweaked';
}

export function samePayload(a: Payload, b: Payload): boolean {
  const [rootOfA, rootOfB] = [a.taprootMerkleRoot, b.taprootMerkleRoot];
  const sameRoot = rootOfA instanceof Uint8Array && rootOfB instanceof Uint8Array ? equal(rootOfA, rootOfB) : rootOfA === rootOfB;
  return sameRoot && equal(a.bytes, b.bytes);
}

/**
 * ECDSA: `r`, `s` big-endian, `s` in the lower half of the order (secp256k1), `recid` the parity of the y coordinate of R (bit 0)
 * and whether its x exceeds the order (bit 1). EdDSA: `r` is the encoded R, `s` little-endian, so that r ‖ s is the RFC 8032
 * signature. Schnorr: r ‖ s is the BIP-340 signature.
 */
export interface Signature {
  /** 32 bytes. */
  readonly r: Uint8Array;
  /** 32 bytes. */
  readonly s: Uint8Array;
  readonly recid?: number;
}

export interface Scheme {
  readonly name: Exclude<SchemeName, 'DH'>;
  readonly curve: Curve;
  /**
   * @param publicKey 33 bytes compressed (ECDSA, Schnorr: the internal key) or 32 bytes (EdDSA)
   * @returns whether the signature is good under the key (Schnorr: under the key tweaked as the payload says). Malformed input is
   * `false`, never an exception
   */
  verify(publicKey: Uint8Array, payload: Payload, signature: Signature): boolean;
}
