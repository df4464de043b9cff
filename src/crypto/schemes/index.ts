/**
 * The verifier of each key type that signs.
 * @module
 */

import type { KeyType } from '../../base/keyTypes.ts';
import { groupOf } from '../groups/index.ts';
import { ecdsaOver } from './ecdsa.ts';
import { eddsaOver } from './eddsa.ts';
import type { Scheme } from './scheme.ts';
import { schnorrOver } from './schnorr.ts';

const schemes = {
  'ECDSA/secp256k1': ecdsaOver(groupOf('secp256k1')),
  'ECDSA/stark': ecdsaOver(groupOf('stark')),
  'EdDSA/ed25519': eddsaOver(groupOf('ed25519')),
  'Schnorr/secp256k1': schnorrOver(groupOf('secp256k1')),
} as const satisfies Record<Exclude<KeyType, 'DH/secp256k1'>, Scheme>;

export function schemeOf(keyType: keyof typeof schemes): Scheme {
  return schemes[keyType];
}
