/**
 * Secrets that serve once: nonces and presignatures, in the batches they were made in. In memory only, so that neither a restart nor a
 * restored backup brings one back. `take` deletes before it gives. Bounded in number and in time; what is dropped is wiped.
 * @module
 */

import type { Clock } from '../base/clock.ts';
import { sweeping } from './sweeping.ts';

export interface OneUse<T> {
  /** @returns false if the name is taken already: the secrets are wiped, nothing is replaced */
  put(batch: string, secrets: readonly T[]): boolean;
  /** Whether `take` would give it. */
  has(batch: string, number: number): boolean;
  /** Gives and forgets. */
  take(batch: string, number: number): T | undefined;
}

interface Batch<T> {
  readonly since: number;
  /** By number, without those that were taken. */
  readonly secrets: Map<number, T>;
}

/** @param options.max secrets at a time, however many batches they are of; the oldest batch gives way whole */
export function oneUse<T>(options: { max: number; maxAgeMs: number; clock: Clock; wipe: (secret: T) => void }): OneUse<T> {
  const { max, maxAgeMs, clock, wipe } = options;
  // Insertion order is age order: the oldest stand first.
  const held = new Map<string, Batch<T>>();
  let count = 0;

  const drop = (name: string, { secrets }: Batch<T>): void => {
    held.delete(name);
    count -= secrets.size;
    for (const secret of secrets.values()) wipe(secret);
  };

  const dropOld = (): void => {
    const now = clock();
    for (const [name, batch] of held) {
      if (count <= max && now - batch.since <= maxAgeMs) return;
      drop(name, batch);
    }
  };

  const dropInTime = sweeping(() => {
    dropOld();
    return held.size > 0;
  }, maxAgeMs);

  const find = (name: string): Batch<T> | undefined => {
    const batch = held.get(name);
    if (batch === undefined || clock() - batch.since <= maxAgeMs) return batch;
    drop(name, batch);
    return undefined;
  };

  return {
    put(name, secrets) {
      if (held.has(name)) {
        for (const secret of secrets) wipe(secret);
        return false;
      }
      held.set(name, { since: clock(), secrets: new Map(secrets.entries()) });
      count += secrets.length;
      dropOld();
      dropInTime();
      return true;
    },
    has: (name, number) => find(name)?.secrets.has(number) ?? false,
    take(name, number) {
      const batch = find(name);
      const secret = batch?.secrets.get(number);
      if (batch === undefined || secret === undefined) return undefined;
      batch.secrets.delete(number);
      count -= 1;
      if (batch.secrets.size === 0) held.delete(name);
      return secret;
    },
  };
}
