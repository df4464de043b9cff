/**
 * Ed25519 signatures: RFC 8032 §5.1.7, the equation without cofactor, and only keys of the prime-order subgroup.
 * @module
 */

import { concat, equal, toBigInt } from '../../base/bytes.ts';
import { verifyEd25519 } from '../ed25519.ts';
import type { Group } from '../groups/group.ts';
import { sha512 } from '../hash.ts';
import { remembered } from '../remembered.ts';
import type { Scheme, Signature } from './scheme.ts';

export function eddsaOver(group: Group): Scheme {
  const keyOf = remembered(maxRemembered, (publicKey: Uint8Array) => group.decodePoint(publicKey)); // canonical, neither small nor mixed order
  const holds = group.implementation === 'native' ? equationOfSodium : equationOver(group);
  return {
    name: 'EdDSA',
    curve: group.curve,
    verify(publicKey, { bytes }, signature) {
      if (signature.r.length !== 32 || signature.s.length !== 32) return false;
      try {
        keyOf(publicKey);
        group.decodeScalar(signature.s); // below the order, as §5.1.7 demands
        return holds(publicKey, bytes, signature);
      } catch {
        return false; // a malformed key or s
      }
    },
  };
}

/** The check of a key costs most of a verification. */
const maxRemembered = 1_000;

/**
 * The challenge k of RFC 8032 §5.1.7: SHA-512(R ‖ A ‖ M), little-endian, reduced.
 * @param r encoded R, 32 bytes
 * @param publicKey encoded A, 32 bytes
 */
export function ed25519Challenge(group: Group, r: Uint8Array, publicKey: Uint8Array, message: Uint8Array): bigint {
  return toBigInt(sha512(r, publicKey, message).reverse()) % group.order;
}

type Equation = (publicKey: Uint8Array, message: Uint8Array, signature: Signature) => boolean;

/** R = s·B − k·A, compared as bytes: so R is canonical as well. */
function equationOver(group: Group): Equation {
  return (publicKey, message, { r, s }) => {
    const k = ed25519Challenge(group, r, publicKey, message);
    const A = group.decodePoint(publicKey);
    return equal(group.encodePoint(group.linearCombination([group.decodeScalar(s), (group.order - k) % group.order], [group.base, A])), r);
  };
}

const equationOfSodium: Equation = (publicKey, message, { r, s }) => verifyEd25519(publicKey, message, concat(r, s));
