/**
 * Encryption to a secp256k1 key, as key shares travel (contract §10.1): ECIES with an ephemeral key E = e·G,
 *
 *   S = e·EK, compressed        K = HKDF-SHA256(S, salt 'DFNS_KEY_IMPORT', info 'ENCRYPTION_KEY')
 *   box = AES-256-GCM(K, nonce 0, plaintext, aad) ‖ tag(16) ‖ E(33)
 *
 * The nonce may be zero because e, and so K, serves one box. E is bound through S; that the box came from a certain sender is not said
 * here, anybody can make one.
 * @module
 */

import { hkdfSync } from 'node:crypto';
import { concat, utf8 } from '../base/bytes.ts';
import type { Point } from './groups/group.ts';
import { groupOf } from './groups/index.ts';
import * as gcm from './seal.ts';

const group = groupOf('secp256k1');
const zeroNonce = new Uint8Array(12);
const salt = utf8('DFNS_KEY_IMPORT');
const info = utf8('ENCRYPTION_KEY');

/**
 * @param encryptionKey 33 bytes, compressed
 * @param aad what the box is bound to; empty in the form of the contract
 * @throws {Error} if the key is not a point
 */
export function encryptTo(encryptionKey: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const e = group.randomScalar();
  const key = keyFrom(group.multiply(group.decodePoint(encryptionKey), e));
  try {
    return concat(gcm.encrypt(key, zeroNonce, plaintext, aad), group.encodePoint(group.multiplyBase(e)));
  } finally {
    key.fill(0);
  }
}

/**
 * @param secret 32 bytes, big-endian
 * @throws {Error} for another key, other `aad`, or an altered box
 */
export function decrypt(secret: Uint8Array, box: Uint8Array, aad: Uint8Array): Uint8Array {
  const ephemeral = group.decodePoint(box.subarray(-group.pointBytes));
  const key = keyFrom(group.multiply(ephemeral, group.decodeScalar(secret)));
  try {
    return gcm.decrypt(key, zeroNonce, box.subarray(0, -group.pointBytes), aad);
  } finally {
    key.fill(0);
  }
}

function keyFrom(shared: Point): Uint8Array {
  const S = group.encodePoint(shared);
  try {
    return new Uint8Array(hkdfSync('sha256', S, salt, info, 32));
  } finally {
    S.fill(0);
  }
}
