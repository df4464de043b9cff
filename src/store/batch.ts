/**
 * Group commit: items that arrive while a batch is under way wait for the next one, so that concurrent requests share a statement and its
 * sync to disk.
 * @module
 */

import { assert, Refusal } from '../base/errors.ts';

/** How many items may wait; more than that means that the database does not keep up. */
const maxWaiting = 10_000;

interface Waiting<T, R> {
  readonly item: T;
  resolve(result: R): void;
  reject(error: unknown): void;
}

/**
 * @param run what to do with a batch: one result for each item, in their order; when it throws, each item of that batch is rejected with it
 * @param limits.maxItems    of one batch
 * @param limits.concurrency batches under way at once
 * @returns what adds one item and gives its result
 */
export function batched<T, R>(
  run: (items: readonly T[]) => Promise<readonly R[]>,
  { maxItems, concurrency }: { maxItems: number; concurrency: number },
): (item: T) => Promise<R> {
  const waiting: Waiting<T, R>[] = [];
  let underWay = 0;
  let scheduled = false;

  // Not at once: what else the same turn of the event loop brings goes along.
  function schedule(): void {
    if (scheduled || waiting.length === 0 || underWay >= concurrency) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      while (waiting.length > 0 && underWay < concurrency) void runBatch(waiting.splice(0, maxItems));
    });
  }

  async function runBatch(batch: readonly Waiting<T, R>[]): Promise<void> {
    underWay += 1;
    try {
      const results = await run(batch.map(({ item }) => item));
      assert(results.length === batch.length, 'a batch has one result for each of its items');
      // The lengths are equal, so each index has its result, which may itself be undefined: hence the cast.
      batch.forEach(({ resolve }, i) => resolve(results[i] as R));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      underWay -= 1;
      schedule();
    }
  }

  return (item) => {
    if (waiting.length >= maxWaiting) return Promise.reject(new Refusal('Unavailable', 'too many requests wait for the database'));
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    waiting.push({ item, resolve, reject });
    schedule();
    return promise;
  };
}
