/**
 * Who this signer is: made once, its secrets sealed in the signer's own store, its public half printed for the cluster file.
 * @module
 */

import { hkdfSync, randomBytes, sign } from 'node:crypto';
import { concat, toBase64 } from '../base/bytes.ts';
import { ed25519KeyOf } from '../crypto/certificate.ts';
import { groupOf } from '../crypto/groups/index.ts';
import { publicIdentityOf, type SecretIdentity } from '../mpc/identity.ts';
import type { PublicSigner } from './contract.ts';
import { addSecret, readSecret } from './secrets.ts';
import type { SignerSnapshot, SignerStore } from './store.ts';

const name = 'identity';

export function hasIdentity(store: SignerSnapshot): boolean {
  return store.readSecret(name) !== undefined;
}

export function newIdentity(): SecretIdentity {
  const secp256k1 = groupOf('secp256k1');
  return { identitySecret: new Uint8Array(randomBytes(32)), transportSecret: secp256k1.encodeScalar(secp256k1.randomScalar()) };
}

/** @throws {Error} if the signer has an identity already */
export function storeIdentity(store: SignerStore, keyEncryptionKey: Uint8Array, identity: SecretIdentity): void {
  const plain = concat(identity.identitySecret, identity.transportSecret);
  const added = addSecret(store, keyEncryptionKey, { name, plain });
  plain.fill(0);
  if (!added) throw new Error('this signer has an identity already');
}

/** @throws {Error} if there is none, or the key-encryption key is another */
export function readIdentity(store: SignerSnapshot, keyEncryptionKey: Uint8Array): SecretIdentity {
  const plain = readSecret(store, keyEncryptionKey, name);
  if (plain === undefined) throw new Error('this signer has no identity yet: run `countersign signer init` first');
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

/** What makes FROST nonces unpredictable should the random generator fail: 32 bytes that nobody but this signer knows (RFC 5869). */
export function nonceSecretOf({ identitySecret }: SecretIdentity): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', identitySecret, '', 'countersign/frost/nonces/v1', 32));
}
