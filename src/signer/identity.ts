/**
 * Who this signer is: made once, its secrets sealed in the signer's own store, its public half printed for the cluster file.
 * @module
 */

import { randomBytes, sign } from 'node:crypto';
import { concat, toBase64, utf8 } from '../base/bytes.ts';
import { ed25519KeyOf } from '../crypto/certificate.ts';
import { groupOf } from '../crypto/groups/index.ts';
import { seal, unseal } from '../crypto/seal.ts';
import { publicIdentityOf, type SecretIdentity } from '../mpc/identity.ts';
import type { PublicSigner } from './contract.ts';
import type { SignerStore } from './store.ts';

const name = 'identity';
const additionalData = utf8('countersign/identity/v1');

export function hasIdentity(store: SignerStore): boolean {
  return store.readSecret(name) !== undefined;
}

/** @throws {Error} if the signer has an identity already */
export function createIdentity(store: SignerStore, keyEncryptionKey: Uint8Array): SecretIdentity {
  const secp256k1 = groupOf('secp256k1');
  const identity = { identitySecret: new Uint8Array(randomBytes(32)), transportSecret: secp256k1.encodeScalar(secp256k1.randomScalar()) };
  const plain = concat(identity.identitySecret, identity.transportSecret);
  const added = store.addSecret(name, seal(keyEncryptionKey, plain, additionalData));
  plain.fill(0);
  if (!added) throw new Error('this signer has an identity already');
  return identity;
}

/** @throws {Error} if there is none, or the key-encryption key is another */
export function readIdentity(store: SignerStore, keyEncryptionKey: Uint8Array): SecretIdentity {
  const sealed = store.readSecret(name);
  if (sealed === undefined) throw new Error('this signer has no identity yet: run `countersign signer init` first');
  const plain = unseal(keyEncryptionKey, sealed, additionalData);
  return { identitySecret: plain.slice(0, 32), transportSecret: plain.slice(32) };
}

export function publicSignerOf(identity: SecretIdentity): PublicSigner {
  const { identityKey, transportKey } = publicIdentityOf(identity);
  return { signerId: toBase64(identityKey), encryptionKey: toBase64(concat(Uint8Array.of(1), transportKey)) };
}

/** Signs with the identity key what says of itself what it is: 64 bytes (RFC 8032). */
export function signatureBy({ identitySecret }: SecretIdentity): (message: Uint8Array) => Uint8Array {
  const key = ed25519KeyOf(identitySecret);
  return (message) => new Uint8Array(sign(null, message, key));
}
