/** Addresses as Ethereum writes them. @module */

import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { fromHex, to0x, toHex, utf8 } from '../../base/bytes.ts';

export const addressBytes = 20;

/** Of a compressed public key: the last 20 bytes of the hash of the point's coordinates. */
export function accountOf(publicKey: Uint8Array): Uint8Array {
  return accountOfPoint(secp256k1.Point.fromBytes(publicKey));
}

/** Of whoever signed the digest; undefined where nobody can have. */
export function signerOf(digest: Uint8Array, { r, s, yParity }: { r: bigint; s: bigint; yParity: number }): Uint8Array | undefined {
  try {
    return accountOfPoint(new secp256k1.Signature(r, s, yParity).recoverPublicKey(digest));
  } catch {
    return undefined;
  }
}

function accountOfPoint(point: InstanceType<typeof secp256k1.Point>): Uint8Array {
  return keccak_256(point.toBytes(false).subarray(1)).subarray(-addressBytes);
}

/** Canonical: lower case. */
export function addressText(bytes: Uint8Array): string {
  return to0x(bytes);
}

/**
 * Reads an address; one in mixed case must have the checksum of EIP-55.
 * @throws {Error} saying what is wrong
 */
export function parseAddress(text: unknown): Uint8Array {
  const bytes = typeof text === 'string' && text.startsWith('0x') ? fromHex(text) : undefined;
  if (typeof text !== 'string' || bytes?.length !== addressBytes) throw new Error('expected an address: 0x and 40 hex digits');
  const digits = text.slice(2);
  const isMixed = digits !== digits.toLowerCase() && digits !== digits.toUpperCase();
  if (isMixed && digits !== checksummed(bytes)) throw new Error(`${text} is no address: its checksum (EIP-55) is wrong`);
  return bytes;
}

/** EIP-55: a letter is a capital where the hash of the lower-case digits has a nibble of 8 or more. */
function checksummed(bytes: Uint8Array): string {
  const digits = toHex(bytes);
  const hash = toHex(keccak_256(utf8(digits)));
  return Array.from(digits, (digit, i) => (Number.parseInt(hash.charAt(i), 16) >= 8 ? digit.toUpperCase() : digit)).join('');
}
