/**
 * Ed25519 verification (RFC 8032 §5.1.7, the equation without cofactor): libsodium's where the machine has it, in less than half the time
 * of OpenSSL's. Under a key of the prime-order subgroup the two agree on every signature: signers on different machines judge alike.
 * @module
 */

import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { concat, equal } from '../base/bytes.ts';
import { libsodium } from './native.ts';

const signatureBytes = 64;
const keyBytes = 32;

/**
 * Malformed input is `false`.
 * @param publicKey 32 bytes, known to be a point of the prime-order subgroup
 */
export const verifyEd25519: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean = libsodium
  ? overSodium(libsodium)
  : verifyEd25519ByOpenSsl;

function overSodium(library: NonNullable<typeof libsodium>): typeof verifyEd25519 {
  const [signed, key] = [Buffer.alloc(signatureBytes), Buffer.alloc(keyBytes)];
  return (publicKey, message, signature) => {
    if (signature.length !== signatureBytes || publicKey.length !== keyBytes) return false;
    signed.set(signature);
    key.set(publicKey);
    return library.crypto_sign_verify_detached(signed, Buffer.from(message), key);
  };
}

/** Where there is no libsodium, which refuses an R that is the identity. */
export function verifyEd25519ByOpenSsl(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return (
    signature.length === signatureBytes &&
    !equal(signature.subarray(0, 32), identity) &&
    verify(null, message, keyObjectOf(publicKey), signature)
  );
}

/** Encoded. */
const identity = Uint8Array.of(1, ...new Uint8Array(31));

const keyObjects = new WeakMap<Uint8Array, KeyObject>();
/** What stands before the raw key in its SPKI form (RFC 8410 §4). */
const spkiPrefix = Uint8Array.from([0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]);

function keyObjectOf(publicKey: Uint8Array): KeyObject {
  const known = keyObjects.get(publicKey);
  if (known !== undefined) return known;
  const made = createPublicKey({ key: Buffer.from(concat(spkiPrefix, publicKey)), format: 'der', type: 'spki' });
  keyObjects.set(publicKey, made);
  return made;
}
