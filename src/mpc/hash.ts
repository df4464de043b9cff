import { hash } from 'node:crypto';
import { libsodium } from '../crypto/native.ts';

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', bytes, 'buffer'));
}

export function sha512(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha512', bytes, 'buffer'));
}

/**
 * HMAC-SHA-512 (RFC 2104) over one-shot hashes: for short inputs it takes a fraction of the time of the library's own.
 *
 * @param key at most 128 bytes, the block of SHA-512
 * @returns a function of the input
 */
export function hmacSha512(key: Uint8Array): (input: Uint8Array) => Uint8Array {
  const [innerBlock, outerBlock] = [padded(key, 0x36), padded(key, 0x5c)];
  return (input) => digestOf(behind(outerBlock, digestOf(behind(innerBlock, input))));
}

/** libsodium's is called in half the time of OpenSSL's. */
const digestOf: (bytes: Buffer) => Uint8Array = libsodium ? digestBy(libsodium) : (bytes) => hash('sha512', bytes, 'buffer');

function digestBy(library: NonNullable<typeof libsodium>): (bytes: Buffer) => Uint8Array {
  return (bytes) => {
    const digest = Buffer.allocUnsafeSlow(64);
    library.crypto_hash_sha512(digest, bytes);
    return digest;
  };
}

const blockBytes = 128;

function padded(key: Uint8Array, pad: number): Uint8Array {
  const block = new Uint8Array(blockBytes).fill(pad);
  for (const [at, byte] of key.entries()) block[at] = byte ^ pad;
  return block;
}

function behind(block: Uint8Array, input: Uint8Array): Buffer {
  const out = Buffer.allocUnsafeSlow(blockBytes + input.length);
  out.set(block);
  out.set(input, blockBytes);
  return out;
}
