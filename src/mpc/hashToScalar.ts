/**
 * Hashes into the scalar field of a curve, as the FROST ciphersuites define them (RFC 9591 §6).
 * @module
 */

import { concat, toBigInt, utf8 } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';
import type { Curve } from '../base/keyTypes.ts';
import { groupOf } from '../crypto/groups/index.ts';
import { sha256, sha512 } from './hash.ts';

/** Bytes hashed into a 256-bit field: 128 bits more than the order has, for a bias below 2⁻¹²⁸ (RFC 9380 §5.1). */
const wideBytes = 48;

/**
 * ed25519: SHA-512(domain ‖ message), little-endian, mod L (RFC 9591 §6.1).
 * secp256k1: hash_to_field with expand_message_xmd over SHA-256 and the domain as its DST (RFC 9591 §6.5). stark: the same.
 */
export function hashToScalar(curve: Curve, domain: string, message: Uint8Array): bigint {
  const { order } = groupOf(curve);
  if (curve === 'ed25519') return toBigInt(sha512(concat(utf8(domain), message)).reverse()) % order;
  return toBigInt(expandMessageXmd(message, utf8(domain), wideBytes)) % order;
}

/** expand_message_xmd with SHA-256 (RFC 9380 §5.3.1). @param domain at most 255 bytes */
export function expandMessageXmd(message: Uint8Array, domain: Uint8Array, length: number): Uint8Array {
  const blocks = Math.ceil(length / 32);
  assert(domain.length <= 255 && blocks <= 255, 'expand_message_xmd keeps to its limits');
  const domainPrime = concat(domain, Uint8Array.of(domain.length));
  const b0 = sha256(concat(new Uint8Array(64), message, Uint8Array.of(length >> 8, length & 0xff, 0), domainPrime));
  const out: Uint8Array[] = [];
  for (let i = 1; i <= blocks; i++) {
    const previous = out.at(-1) ?? new Uint8Array(32);
    out.push(
      sha256(
        concat(
          b0.map((byte, at) => byte ^ (previous[at] ?? 0)),
          Uint8Array.of(i),
          domainPrime,
        ),
      ),
    );
  }
  return concat(...out).subarray(0, length);
}
