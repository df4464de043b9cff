/**
 * What of a key hardly ever changes once it is made, remembered for a moment, because every signature asks for it: how it is shared changes
 * when it is dealt anew, and the shares before are kept for longer than that. Whether the key is still active, the statement that begins a
 * signature request asks the database.
 * @module
 */

import { boundedMap } from '../../base/boundedMap.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import type { FoundKey } from './store.ts';

export type SigningKey = Pick<FoundKey, 'id' | 'organisationId' | 'keyType' | 'publicKey' | 'epoch' | 'threshold' | 'verificationShares'>;

const maxRemembered = 10_000;
export const rememberedMs = 5_000;

export interface RememberedKeys {
  get(keyId: string): SigningKey | undefined;
  add(key: SigningKey): void;
}

/** The one looked up longest ago gives way. */
export function rememberedKeys(clock: Clock = systemClock): RememberedKeys {
  const keys = boundedMap<string, { readonly key: SigningKey; readonly since: number }>(maxRemembered);
  return {
    get(keyId) {
      const entry = keys.get(keyId);
      return entry !== undefined && clock() - entry.since < rememberedMs ? entry.key : undefined;
    },
    add({ id, organisationId, keyType, publicKey, epoch, threshold, verificationShares }) {
      keys.delete(id);
      keys.set(id, { key: { id, organisationId, keyType, publicKey, epoch, threshold, verificationShares }, since: clock() });
    },
  };
}
