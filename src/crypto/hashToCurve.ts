import { secp256k1_hasher } from '@noble/curves/secp256k1.js';

/**
 * A point of secp256k1 whose discrete logarithm nobody knows: RFC 9380, suite secp256k1_XMD:SHA-256_SSWU_RO_.
 * @param options.domain the domain separation tag, at least one byte; beyond 255 bytes it is hashed (§5.3.3)
 * @returns 33 bytes, compressed
 * @throws {Error} for an empty domain (§3.1), or a result at infinity (by negligible chance)
 */
export function hashToSecp256k1({ message, domain }: { message: Uint8Array; domain: Uint8Array }): Uint8Array {
  return secp256k1_hasher.hashToCurve(message, { DST: domain }).toBytes();
}
