/**
 * ECDSA (SEC 1 §4.1.4) over a 32-byte digest, in the one form the service gives out: s in the lower half of the order.
 * @module
 */

import { equal, toBigInt } from '../../base/bytes.ts';
import type { Group } from '../groups/group.ts';
import { inverse } from '../inverse.ts';
import { type Libsecp256k1, libsecp256k1 } from '../native.ts';
import { remembered } from '../remembered.ts';
import type { Scheme, Signature } from './scheme.ts';

/** STARK curve: its verifiers hold digest and r in 251 bits, and refuse greater ones. */
const starkBound = 2n ** 251n;

export function ecdsaOver(group: Group): Scheme {
  const { order } = group;
  const bound = group.curve === 'stark' ? starkBound : 2n ** 256n;
  const native = group.curve === 'secp256k1' && group.implementation === 'native' ? libsecp256k1 : undefined;
  const holds = native ? equationOfLibsecp256k1(native) : equationOver(group);

  return {
    name: 'ECDSA',
    curve: group.curve,
    verify(publicKey, { bytes: digest }, signature) {
      if (digest.length !== 32 || toBigInt(digest) >= bound || !isRecoveryId(signature.recid)) return false;
      try {
        const r = group.decodeScalar(signature.r);
        const s = group.decodeScalar(signature.s);
        if (r === 0n || r >= bound || s === 0n || s > order >> 1n || publicKey.length !== group.pointBytes) return false;
        return holds(publicKey, digest, signature);
      } catch {
        return false; // a key off the curve, r or s not below the order, R at infinity
      }
    },
  };
}

/** @throws {Error} for malformed input */
type Equation = (publicKey: Uint8Array, digest: Uint8Array, signature: Signature) => boolean;

/** Of keys, each with tables where the group has such. */
const maxRemembered = 100;

/** R = s⁻¹·(z·G + r·Q) has x(R) = r mod n; where `recid` is given, it tells which of the R with this r it is. */
function equationOver(group: Group): Equation {
  const { order } = group;
  const keyOf = remembered(maxRemembered, (publicKey: Uint8Array) => ({ Q: group.decodePoint(publicKey), uses: 0 }));
  return (publicKey, digest, signature) => {
    const key = keyOf(publicKey);
    key.uses += 1;
    if (key.uses === 2) group.tabulate(key.Q); // it seems to be one that signs often
    const r = group.decodeScalar(signature.r);
    const w = inverse(group.decodeScalar(signature.s), order);
    const scalars = [(toBigInt(digest) * w) % order, (r * w) % order];
    const R = group.encodePoint(group.linearCombination(scalars, [group.base, key.Q]));
    const x = toBigInt(R.subarray(1));
    const recid = (R[0] === 0x03 ? 1 : 0) + (x >= order ? 2 : 0);
    return x % order === r && (signature.recid === undefined || signature.recid === recid);
  };
}

/** Recovery (SEC 1 §4.1.6) solves the same equation for the key, so that the right key is the whole proof. */
function equationOfLibsecp256k1(library: Libsecp256k1): Equation {
  const [signature, digest, key] = [64, 32, 33].map((length) => Buffer.alloc(length)) as [Buffer, Buffer, Buffer];
  return (publicKey, digestOfMessage, { r, s, recid }) => {
    signature.set(r);
    signature.set(s, 32);
    digest.set(digestOfMessage);
    if (recid !== undefined) return library.ecdsaRecover(key, signature, recid, digest) === 0 && equal(key, publicKey);
    key.set(publicKey);
    return library.ecdsaVerify(signature, digest, key) === 0;
  };
}

function isRecoveryId(recid: number | undefined): boolean {
  return recid === undefined || (Number.isInteger(recid) && recid >= 0 && recid <= 3);
}
