/** The key by which this signer is known over TLS: Ed25519, its secret sealed in the signer's own store. It protects the line, no share. @module */

import { type KeyObject, randomBytes } from 'node:crypto';
import { ed25519KeyOf } from '../crypto/certificate.ts';
import { putSecret, readSecret } from './secrets.ts';
import type { SignerStore } from './store.ts';

const name = 'tls-key';

/** Made if there is none: signers from before there was TLS have none. */
export function ensureTlsKey(store: SignerStore, keyEncryptionKey: Uint8Array): KeyObject {
  return readTlsKey(store, keyEncryptionKey) ?? renewTlsKey(store, keyEncryptionKey);
}

/** Undefined if there is none. @throws {Error} if the key-encryption key is another */
export function readTlsKey(store: SignerStore, keyEncryptionKey: Uint8Array): KeyObject | undefined {
  const seed = readSecret(store, keyEncryptionKey, name);
  return seed && keyOf(seed);
}

/** Replaces the one that was there: the service must learn the new pin. */
export function renewTlsKey(store: SignerStore, keyEncryptionKey: Uint8Array): KeyObject {
  const seed = new Uint8Array(randomBytes(32));
  putSecret(store, keyEncryptionKey, { name, plain: seed });
  return keyOf(seed);
}

/** Overwrites the seed. */
function keyOf(seed: Uint8Array): KeyObject {
  try {
    return ed25519KeyOf(seed);
  } finally {
    seed.fill(0);
  }
}
