/**
 * The tweak that binds a key to its scripts: BIP-341, "Constructing and spending Taproot outputs".
 * @module
 */

import { toBigInt } from '../../base/bytes.ts';
import { groupOf } from '../groups/index.ts';
import { remembered } from '../remembered.ts';
import { taggedHash } from './taggedHash.ts';

export interface TapTweak {
  /** t, below the order. */
  readonly tweak: bigint;
  /** Whether the internal key P has an odd y: then −P is what is tweaked. */
  readonly internalKeyIsOdd: boolean;
  /** Whether Q has an odd y: then −Q's secret signs. */
  readonly outputKeyIsOdd: boolean;
  /** x(Q), 32 bytes: the key that the signature verifies under. */
  readonly outputKey: Uint8Array;
}

const hashTapTweak = taggedHash('TapTweak');
const maxRemembered = 1_000;

/**
 *   t = H_TapTweak(x(P) ‖ root)        Q = lift_x(x(P)) + t·G
 *
 * Remembered, for the same keys sign again and again.
 *
 * @param internalKey 33 bytes, compressed; its parity is kept, because shares of the secret belong to P as it is
 * @param merkleRoot 32 bytes, or empty for a key without scripts (BIP-341, note 22: t = H_TapTweak(x(P)))
 * @throws {Error} for a bad key, another length of root, t not below the order, or Q at infinity (the last two: by negligible chance)
 */
export const tapTweak = remembered(maxRemembered, (internalKey: Uint8Array, merkleRoot: Uint8Array): TapTweak => {
  if (merkleRoot.length !== 0 && merkleRoot.length !== 32) throw new Error('a merkle root is empty or has 32 bytes');
  const group = groupOf('secp256k1');
  const P = group.decodePoint(internalKey);
  const internalKeyIsOdd = internalKey[0] === 0x03;
  const tweak = toBigInt(hashTapTweak(internalKey.subarray(1), merkleRoot));
  if (tweak >= group.order) throw new Error('the tweak is not below the order');
  const Q = group.encodePoint(group.shift(internalKeyIsOdd ? group.negate(P) : P, tweak));
  return { tweak, internalKeyIsOdd, outputKeyIsOdd: Q[0] === 0x03, outputKey: Q.subarray(1) };
});
