/**
 * Shares that are in use stay open for a moment: to read and unseal one costs as much as the rest of what a signer does with it. Bounded in
 * number and in time, and overwritten when they are let go. Whoever could read them here could read the key-encryption key beside them.
 * @module
 */

import type { KeyShare } from '../mpc/keyShare.ts';
import { sweeping } from './sweeping.ts';

export interface OpenShares {
  /** @param open called where this sharing of the key is not open; what it gives is this memory's to overwrite */
  get(keyId: string, epoch: number, open: () => KeyShare): KeyShare;
  /** Overwrites what is open of the key. */
  drop(keyId: string): void;
}

interface Open {
  readonly epoch: number;
  readonly share: KeyShare;
  /** Of the last use; milliseconds. */
  usedAt: number;
}

export function openShares({ max, idleMs }: { max: number; idleMs: number }): OpenShares {
  // One of each key, in the order of their last use.
  const held = new Map<string, Open>();

  const drop = (keyId: string): void => {
    held.get(keyId)?.share.secret.fill(0);
    held.delete(keyId);
  };

  const dropIdle = (): void => {
    const before = performance.now() - idleMs;
    for (const [keyId, { usedAt }] of held) {
      if (usedAt > before && held.size <= max) return;
      drop(keyId);
    }
  };

  const dropInTime = sweeping(() => {
    dropIdle();
    return held.size > 0;
  }, idleMs);

  return {
    get(keyId, epoch, open) {
      const known = held.get(keyId);
      if (known?.epoch !== epoch) drop(keyId);
      const { share } = known?.epoch === epoch ? known : { share: open() };
      held.delete(keyId);
      held.set(keyId, { epoch, share, usedAt: performance.now() });
      if (held.size > max) dropIdle();
      dropInTime();
      return share;
    },
    drop,
  };
}
