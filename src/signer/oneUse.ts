/**
 * Secrets that serve once: nonces and presignatures. In memory only, so that neither a restart nor a restored backup brings one back.
 * `take` deletes before it gives. Bounded in number and in time; what is dropped is wiped.
 * @module
 */

import type { Clock } from '../base/clock.ts';

export interface OneUse<T> {
  /** @returns false if the name is taken already: the secret is wiped, nothing is replaced */
  put(name: string, secret: T): boolean;
  /** Whether `take` would give it. */
  has(name: string): boolean;
  /** Gives and forgets. */
  take(name: string): T | undefined;
}

export function oneUse<T>(options: { max: number; maxAgeMs: number; clock: Clock; wipe: (secret: T) => void }): OneUse<T> {
  // Insertion order is age order: the oldest stand first.
  const held = new Map<string, { secret: T; since: number }>();

  const drop = (name: string): void => {
    const entry = held.get(name);
    held.delete(name);
    if (entry) options.wipe(entry.secret);
  };

  const dropOld = (now: number): void => {
    for (const [name, { since }] of held) {
      if (held.size <= options.max && now - since <= options.maxAgeMs) return;
      drop(name);
    }
  };

  return {
    put(name, secret) {
      if (held.has(name)) {
        options.wipe(secret);
        return false;
      }
      const now = options.clock();
      held.set(name, { secret, since: now });
      dropOld(now);
      return true;
    },
    has(name) {
      const entry = held.get(name);
      return entry !== undefined && options.clock() - entry.since <= options.maxAgeMs;
    },
    take(name) {
      const entry = held.get(name);
      held.delete(name);
      if (entry === undefined) return undefined;
      if (options.clock() - entry.since <= options.maxAgeMs) return entry.secret;
      options.wipe(entry.secret);
      return undefined;
    },
  };
}
