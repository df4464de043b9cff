/**
 * A child's share: f(i) + shift, of the polynomial f + shift, whose value at zero is the child's secret. It needs nothing but the parent's
 * share and what is public, so that children are neither generated nor stored.
 * @module
 */

import { keyTypes } from '../base/keyTypes.ts';
import { groupOf } from '../crypto/groups/index.ts';
import type { Child } from '../crypto/hd.ts';
import type { KeyShare } from './keyShare.ts';

/**
 * @param child derived from the parent's own public key and chain code
 * @returns a share with a secret of its own: overwrite it after use. Its verification shares are computed when they are asked for, since
 * signing does not need them
 */
export function childShare(parent: KeyShare, child: Child): KeyShare {
  const group = groupOf(keyTypes[parent.keyType].curve);
  const secret = group.encodeScalar((group.decodeScalar(parent.secret) + child.shift) % group.order);
  const { publicKey, chainCode } = child;
  return {
    ...parent,
    secret,
    publicKey,
    chainCode,
    get verificationShares() {
      const moved = group.multiplyBase(child.shift);
      return new Map(
        [...parent.verificationShares].map(([i, share]) => [i, group.encodePoint(group.add(group.decodePoint(share), moved))]),
      );
    },
  };
}
