/**
 * A stock of what signers have made ahead: names of what lies in their memories, each good for one signature. It is refilled in the
 * background before it is empty, the earlier and the more at a time the faster it is used; whoever finds it dry has some made at once and
 * waits in turn. Memory only, bounded in number and age.
 * @module
 */

import { Refusal } from '../base/errors.ts';
import { type Claimant, turns } from './turns.ts';

export interface Stock<T> {
  /** How many there are. */
  readonly depth: number;
  /** Takes one out for good. @throws {Refusal} Unavailable when too many wait; or what making failed with, when some had to be made */
  take(claimant: Claimant): Promise<T>;
  /** Forgets those that are no longer there. */
  discard(isGone: (item: T) => boolean): void;
}

export interface StockOptions<T> {
  /** Has so many made. */
  make(count: number): Promise<readonly T[]>;
  /** How many are made in one go: at least, and at most however fast they are used. */
  readonly batch: { readonly least: number; readonly most: number };
  /** Told of every batch that was made, and of everyone who found nothing there. */
  readonly meter: StockMeter;
}

export interface StockMeter {
  refilled(seconds: number): void;
  foundDry(): void;
}

/** Younger than what signers keep, so that no name outlives its secret. */
const maxAgeMs = 5 * 60_000;
/** More than that means that the signers do not keep up. */
const maxWaiting = 4096;
/** Kept for the use of so long, since making takes its time. */
const reserveSeconds = 0.5;
const batchSeconds = 0.1;
/** Over which the rate of use is averaged. */
const rateSeconds = 2;

interface Waiting<T> {
  resolve(item: T): void;
  reject(error: unknown): void;
}

export function createStock<T>({ make, batch, meter }: StockOptions<T>): Stock<T> {
  let items: { readonly item: T; readonly since: number }[] = [];
  const waiting = turns<Waiting<T>>();
  const use = rate();
  let isMaking = false;

  const dropOld = (): void => {
    const oldest = performance.now() - maxAgeMs;
    const firstGood = items.findIndex(({ since }) => since >= oldest);
    if (firstGood !== 0) items = firstGood < 0 ? [] : items.slice(firstGood);
  };

  const serve = (): void => {
    while (items.length > 0) {
      const next = waiting.next();
      if (next === undefined) return;
      const first = items.shift();
      if (first !== undefined) next.resolve(first.item);
    }
  };

  const isLow = (): boolean => waiting.size > 0 || items.length < Math.max(batch.least / 2, use.perSecond() * reserveSeconds);

  async function refill(): Promise<void> {
    if (isMaking) return;
    isMaking = true;
    try {
      while (isLow()) {
        const count = Math.ceil(Math.min(batch.most, Math.max(batch.least, use.perSecond() * batchSeconds, waiting.size)));
        const began = performance.now();
        const made = await make(count);
        const since = performance.now();
        items.push(...made.map((item) => ({ item, since })));
        meter.refilled((since - began) / 1000);
        serve();
      }
    } catch (error) {
      // Who waits is told; without anybody waiting, whoever comes next tries again.
      for (const { reject } of waiting.clear()) reject(error);
    } finally {
      isMaking = false;
    }
  }

  return {
    get depth() {
      dropOld();
      return items.length;
    },
    take(claimant) {
      use.count();
      dropOld();
      const first = waiting.size === 0 ? items.shift() : undefined;
      if (first !== undefined) {
        void refill();
        return Promise.resolve(first.item);
      }
      meter.foundDry();
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      waiting.add(claimant, { resolve, reject });
      if (waiting.size > maxWaiting) waiting.drop()?.reject(new Refusal('Unavailable', 'too many signatures wait for the signers'));
      void refill();
      return promise;
    },
    discard(isGone) {
      items = items.filter(({ item }) => !isGone(item));
    },
  };
}

/** How often something happens, lately: an exponentially weighted mean. */
function rate(): { count(): void; perSecond(): number } {
  let weight = 0;
  let at = performance.now();
  const decay = (): void => {
    const now = performance.now();
    weight *= Math.exp((at - now) / 1000 / rateSeconds);
    at = now;
  };
  return {
    count() {
      decay();
      weight += 1;
    },
    perSecond() {
      decay();
      return weight / rateSeconds;
    },
  };
}
