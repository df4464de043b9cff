/**
 * Authenticated encryption of what is stored: AES-256-GCM (NIST SP 800-38D) as nonce(12) ‖ ciphertext ‖ tag(16).
 *
 * Nonces are random, so one key may seal 2³² times (§8.3) before the chance of a repeated nonce passes 2⁻³².
 * @module
 */

import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { concat } from '../base/bytes.ts';

const nonceBytes = 12;
const tagBytes = 16;

/** A key that is used often, in the form that costs least to use. @param key 32 bytes, copied */
export function sealingKey(key: Uint8Array): KeyObject {
  return createSecretKey(key);
}

/**
 * @param key 32 bytes
 * @param aad what the box is bound to: not inside, but needed to open it
 */
export function seal(key: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  return concat(nonce, encrypt(key, nonce, plaintext, aad));
}

/** @throws {Error} for another key, other `aad`, or an altered box */
export function unseal(key: Uint8Array | KeyObject, box: Uint8Array, aad: Uint8Array): Uint8Array {
  return decrypt(key, box.subarray(0, nonceBytes), box.subarray(nonceBytes), aad);
}

/** @returns ciphertext ‖ tag. A (key, nonce) pair serves once. */
export function encrypt(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(aad);
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

/** @throws {Error} if the tag does not fit */
export function decrypt(key: Uint8Array | KeyObject, nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array {
  if (nonce.length !== nonceBytes || sealed.length < tagBytes) throw new Error('the sealed box is too short');
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  return concat(decipher.update(sealed.subarray(0, -tagBytes)), decipher.final());
}
