/**
 * Ed25519 signatures: RFC 8032 §5.1.7, the equation without cofactor, and only keys of the prime-order subgroup.
 * @module
 */

import { createHash } from 'node:crypto';
import { concat, equal, toHex } from '../../base/bytes.ts';
import type { Group } from '../groups/group.ts';
import { libsodium } from '../native.ts';
import type { Scheme, Signature } from './scheme.ts';

export function eddsaOver(group: Group): Scheme {
  const requireKey = rememberingKeys((publicKey) => group.decodePoint(publicKey)); // canonical, neither small nor mixed order
  const holds = group.implementation === 'native' && libsodium ? equationOfSodium(libsodium) : equationOver(group);
  return {
    name: 'EdDSA',
    curve: group.curve,
    verify(publicKey, { bytes }, signature) {
      if (signature.r.length !== 32 || signature.s.length !== 32) return false;
      try {
        requireKey(publicKey);
        group.decodeScalar(signature.s); // below the order, as §5.1.7 demands
        return holds(publicKey, bytes, signature);
      } catch {
        return false; // a malformed key or s
      }
    },
  };
}

const maxRemembered = 1_000;

/** The check of a key costs half as much as a verification, and the same keys come again. @throws {Error} what the check throws */
function rememberingKeys(check: (publicKey: Uint8Array) => void): (publicKey: Uint8Array) => void {
  const good = new Set<string>();
  return (publicKey) => {
    const name = toHex(publicKey);
    if (good.has(name)) return;
    check(publicKey);
    if (good.size >= maxRemembered) good.clear();
    good.add(name);
  };
}

/**
 * The challenge k of RFC 8032 §5.1.7: SHA-512(R ‖ A ‖ M), little-endian, reduced.
 * @param r encoded R, 32 bytes
 * @param publicKey encoded A, 32 bytes
 */
export function ed25519Challenge(group: Group, r: Uint8Array, publicKey: Uint8Array, message: Uint8Array): bigint {
  const digest = createHash('sha512').update(r).update(publicKey).update(message).digest();
  return BigInt(`0x${digest.reverse().toString('hex')}`) % group.order;
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

function equationOfSodium(library: NonNullable<typeof libsodium>): Equation {
  return (publicKey, message, { r, s }) =>
    library.crypto_sign_verify_detached(Buffer.from(concat(r, s)), Buffer.from(message), Buffer.from(publicKey));
}
