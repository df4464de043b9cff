/** A whole key in one place, signing payloads as the signers would together: for tests of chains. The oracle is noble. */

import { ed25519 } from '@noble/curves/ed25519.js';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import * as starknet from '@scure/starknet';
import { fromBigInt, toBigInt, toHex } from '../../src/base/bytes.ts';
import type { KeyType } from '../../src/base/keyTypes.ts';
import type { ChainKey } from '../../src/chains/chain.ts';
import { schemeOf } from '../../src/crypto/schemes/index.ts';
import type { Payload, Signature } from '../../src/crypto/schemes/scheme.ts';

export type SigningKeyType = Exclude<KeyType, 'DH/secp256k1'>;

export interface LocalSigner {
  readonly key: ChainKey & { readonly keyType: SigningKeyType };
  /** 32 bytes. */
  readonly secret: Uint8Array;
  /** Verified by the project's own verifier, as everything is before it leaves. */
  sign(payload: Payload): Signature;
}

export function localSigner(keyType: SigningKeyType, secret: Uint8Array): LocalSigner {
  const key = { keyType, publicKey: publicKeyOf(keyType, secret) };
  return {
    key,
    secret,
    sign(payload) {
      const signature = signWith(keyType, secret, payload);
      if (!schemeOf(keyType).verify(key.publicKey, payload, signature)) throw new Error('the local signature does not verify');
      return signature;
    },
  };
}

export function publicKeyOf(keyType: KeyType, secret: Uint8Array): Uint8Array {
  switch (keyType) {
    case 'ECDSA/stark':
      return starknet.getPublicKey(secret, true);
    case 'EdDSA/ed25519':
      return ed25519.getPublicKey(secret);
    default:
      return secp256k1.getPublicKey(secret, true);
  }
}

export function signWith(keyType: KeyType, secret: Uint8Array, { bytes, taprootMerkleRoot }: Payload): Signature {
  switch (keyType) {
    case 'ECDSA/secp256k1': {
      const [recovery, ...rs] = secp256k1.sign(bytes, secret, { prehash: false, lowS: true, format: 'recovered' });
      return { ...halves(Uint8Array.from(rs)), recid: Number(recovery) };
    }
    case 'ECDSA/stark': {
      const { r, s, recovery } = starknet.sign(toHex(bytes), secret, { format: 'recovered', lowS: true });
      return { r: fromBigInt(r, 32), s: fromBigInt(s, 32), recid: Number(recovery) };
    }
    case 'EdDSA/ed25519':
      return halves(ed25519.sign(bytes, secret));
    case 'Schnorr/secp256k1':
      if (taprootMerkleRoot === undefined) throw new Error('a Schnorr payload has its merkle root, or is untweaked');
      return halves(schnorr.sign(bytes, taprootMerkleRoot === 'untweaked' ? secret : tweaked(secret, taprootMerkleRoot)));
    case 'DH/secp256k1':
      throw new Error('a DH key does not sign');
  }
}

/** BIP-341: the secret of the key tweaked by the merkle root. */
function tweaked(secret: Uint8Array, merkleRoot: Uint8Array): Uint8Array {
  const order = secp256k1.Point.Fn.ORDER;
  const x = schnorr.getPublicKey(secret);
  const hasEvenY = secp256k1.getPublicKey(secret, true)[0] === 2;
  const even = hasEvenY ? toBigInt(secret) : order - toBigInt(secret);
  const tweak = toBigInt(schnorr.utils.taggedHash('TapTweak', x, merkleRoot));
  return fromBigInt((even + tweak) % order, 32);
}

function halves(signature: Uint8Array): { r: Uint8Array; s: Uint8Array } {
  return { r: signature.slice(0, 32), s: signature.slice(32, 64) };
}
