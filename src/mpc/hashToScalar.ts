/**
 * Hashes into the scalar field of a curve, as the FROST ciphersuites define them (RFC 9591 §6).
 * @module
 */

import { concat, toBigInt, utf8 } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';
import type { Curve } from '../base/keyTypes.ts';
import { groupOf } from '../crypto/groups/index.ts';
import { sha256, sha512 } from '../crypto/hash.ts';

/** Bytes hashed into a 256-bit field: 128 bits more than the order has, for a bias below 2⁻¹²⁸ (RFC 9380 §5.1). */
const wideBytes = 48;

/**
 * ed25519: SHA-512(domain ‖ message), little-endian, mod L (RFC 9591 §6.1).
 * secp256k1: hash_to_field with expand_message_xmd over SHA-256 and the domain as its DST (RFC 9591 §6.5). stark: the same.
 *
 * @returns a function of the message, which is its parts one behind another
 */
export function hashToScalar(curve: Curve, domain: string): (...parts: readonly Uint8Array[]) => bigint {
  const { order } = groupOf(curve);
  const prefix = utf8(domain);
  if (curve === 'ed25519') return (...parts) => toBigInt(sha512(prefix, ...parts).reverse()) % order;
  const expand = expandMessageXmd(prefix, wideBytes);
  return (...parts) => toBigInt(expand(...parts)) % order;
}

/** expand_message_xmd with SHA-256 (RFC 9380 §5.3.1). @param domain at most 255 bytes */
function expandMessageXmd(domain: Uint8Array, length: number): (...parts: readonly Uint8Array[]) => Uint8Array {
  const blocks = Math.ceil(length / 32);
  assert(domain.length <= 255 && blocks <= 255, 'expand_message_xmd keeps to its limits');
  const block = new Uint8Array(64);
  const domainPrime = concat(domain, Uint8Array.of(domain.length));
  const end = concat(Uint8Array.of(length >> 8, length & 0xff, 0), domainPrime);
  const ends = Array.from({ length: blocks }, (_, at) => concat(Uint8Array.of(at + 1), domainPrime));

  return (...parts) => {
    const b0 = sha256(block, ...parts, end);
    const out = new Uint8Array(32 * blocks);
    const mixed = b0.slice();
    for (const [at, end] of ends.entries()) {
      const b = sha256(mixed, end);
      out.set(b, 32 * at);
      for (let i = 0; i < 32; i++) mixed[i] = (b0[i] ?? 0) ^ (b[i] ?? 0);
    }
    return out.subarray(0, length);
  };
}
