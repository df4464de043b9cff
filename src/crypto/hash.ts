/**
 * Hashes in one call. What is hashed is gathered in a memory that stays, because native calls want it outside JavaScript's heap, and is
 * overwritten there: it may be secret.
 * @module
 */

import { createHash, hash } from 'node:crypto';
import { libsodium } from './native.ts';

/** Of the parts, one behind another. 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return gathered(parts, sha256Of);
}

/** Of the parts, one behind another. 64 bytes. */
export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  return gathered(parts, sha512Of);
}

/** SHAKE256 (FIPS 202 §6.2), `length` bytes of it, of the parts, one behind another. */
export function shake256(length: number, ...parts: readonly Uint8Array[]): Buffer {
  return gathered(parts, (input) => createHash('shake256', { outputLength: length }).update(input).digest());
}

const memory = Buffer.allocUnsafeSlow(2048);

function gathered<T>(parts: readonly Uint8Array[], digest: (input: Buffer) => T): T {
  let length = 0;
  for (const part of parts) length += part.length;
  const input = length <= memory.length ? memory.subarray(0, length) : Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const part of parts) {
    input.set(part, at);
    at += part.length;
  }
  try {
    return digest(input);
  } finally {
    input.fill(0);
  }
}

/** Of up to this many bytes libsodium has a hash before OpenSSL has begun; of more, OpenSSL is ahead by the processor's own instructions. */
const shortBytes = 256;

type Digest = (input: Buffer) => Uint8Array;

const [sha256Of, sha512Of]: [Digest, Digest] = libsodium ? digestsBy(libsodium) : [digestBy('sha256'), digestBy('sha512')];

function digestsBy(library: NonNullable<typeof libsodium>): [Digest, Digest] {
  const [digest256, digest512] = [Buffer.allocUnsafeSlow(32), Buffer.allocUnsafeSlow(64)];
  const long = digestBy('sha256');
  return [
    (input) => {
      if (input.length > shortBytes) return long(input);
      library.crypto_hash_sha256(digest256, input);
      return new Uint8Array(digest256);
    },
    (input) => {
      library.crypto_hash_sha512(digest512, input);
      return new Uint8Array(digest512);
    },
  ];
}

function digestBy(algorithm: 'sha256' | 'sha512'): Digest {
  return (input) => new Uint8Array(hash(algorithm, input, 'buffer'));
}
