/**
 * Which protocol signs for which type of key, and how many signers it takes.
 * @module
 */

import type { Curve, KeyType } from '../base/keyTypes.ts';
import { type Ciphersuite, ciphersuiteOf } from './frost/ciphersuite.ts';

export type Protocol =
  | { readonly family: 'ecdsa'; readonly curve: EcdsaCurve }
  | { readonly family: 'frost'; readonly suite: Ciphersuite }
  | { readonly family: 'dh' };

export type EcdsaCurve = Exclude<Curve, 'ed25519'>;

export const protocols: Readonly<Record<KeyType, Protocol>> = {
  'ECDSA/secp256k1': { family: 'ecdsa', curve: 'secp256k1' },
  'ECDSA/stark': { family: 'ecdsa', curve: 'stark' },
  'EdDSA/ed25519': { family: 'frost', suite: ciphersuiteOf('EdDSA/ed25519') },
  'Schnorr/secp256k1': { family: 'frost', suite: ciphersuiteOf('Schnorr/secp256k1') },
  'DH/secp256k1': { family: 'dh' },
};

/** How many signers it takes to use a key: exactly 2t + 1 for ECDSA, t + 1 or more for the others. */
export function quorumOf(keyType: KeyType, threshold: number): number {
  return protocols[keyType].family === 'ecdsa' ? 2 * threshold + 1 : threshold + 1;
}
