/**
 * How keys are shared that were dealt anew since the service last looked. A signer says so when it is asked for a share that it has no
 * more, before it spends anything; then what t + 1 signers say alike is taken.
 * @module
 */

import { type BoundedMap, boundedMap } from '../base/boundedMap.ts';
import type { KeyReference, KeySharing, SharingFollower } from './coordinator.ts';
import { SignerFailures } from './quorum.ts';

export interface KnownSharings {
  /** Does `use` with the newest sharing of the key that is known; again with the signers' own when they have left that one behind. */
  use<K extends KeyReference, T>(key: K, use: (key: K) => Promise<T>): Promise<T>;
  moved(keyId: string, sharing: KeySharing): void;
  /** Signers that did not hold the newest sharing of the key when they were asked. */
  behind(keyId: string): ReadonlySet<number>;
  follow(follower: SharingFollower): void;
}

/** What is forgotten is found again. */
const maxRemembered = 10_000;

export function knownSharings(find: (keyId: string) => Promise<KeySharing | undefined>): KnownSharings {
  const known = boundedMap<string, KeySharing>(maxRemembered);
  /** Until the key is dealt anew. */
  const behind = boundedMap<string, ReadonlySet<number>>(maxRemembered);
  let follower: SharingFollower | undefined;

  function moved(keyId: string, { epoch, threshold, verificationShares }: KeySharing): void {
    const sharing = { epoch, threshold, verificationShares };
    put(known, keyId, sharing);
    behind.delete(keyId);
    follower?.moved(keyId, sharing);
  }

  function newest<K extends KeyReference>(key: K): K {
    const sharing = known.get(key.id);
    return sharing !== undefined && sharing.epoch > key.epoch ? { ...key, ...sharing } : key;
  }

  function fellBehind(keyId: string, indices: readonly number[]): void {
    put(behind, keyId, new Set([...(behind.get(keyId) ?? []), ...indices]));
    follower?.behind(keyId);
  }

  return {
    moved,
    behind: (keyId) => behind.get(keyId) ?? new Set(),
    follow(one) {
      follower = one;
    },
    async use(key, use) {
      const asked = newest(key);
      try {
        return await use(asked);
      } catch (error) {
        const without = withoutShare(error);
        const found = without.length === 0 ? undefined : await find(key.id);
        if (found === undefined) throw error;
        if (found.epoch <= asked.epoch) {
          fellBehind(key.id, without);
          throw error;
        }
        moved(key.id, found);
        return use(newest(key));
      }
    },
  };
}

/** The one that was put there longest ago gives way. */
function put<V>(map: BoundedMap<string, V>, keyId: string, value: V): void {
  map.delete(keyId);
  map.set(keyId, value);
}

/** Signers that do not hold the sharing that was asked for. */
function withoutShare(error: unknown): readonly number[] {
  if (error instanceof SignerFailures) {
    return error.failures.filter(({ code }) => code === 'StaleShare' || code === 'UnknownKey').map(({ index }) => index);
  }
  if (error instanceof AggregateError) return error.errors.flatMap(withoutShare);
  return error instanceof Error && error.cause !== undefined ? withoutShare(error.cause) : [];
}
