import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { batched } from '../../src/store/batch.ts';

/** A run that notes its batches and takes a while, doubling each number. */
function noted() {
  const batches: number[][] = [];
  let underWay = 0;
  let most = 0;
  const run = async (items: readonly number[]) => {
    batches.push([...items]);
    underWay += 1;
    most = Math.max(most, underWay);
    await wait(5);
    underWay -= 1;
    return items.map((item) => 2 * item);
  };
  return { batches, run, most: () => most };
}

test('what comes while a batch is under way goes together in the next, and each gets its own result', async () => {
  const { batches, run } = noted();
  const double = batched(run, { maxItems: 100, concurrency: 1 });
  const first = double(1);
  await wait(1);
  const later = [2, 3, 4].map(double);
  expect(await Promise.all([first, ...later])).toStrictEqual([2, 4, 6, 8]);
  expect(batches).toStrictEqual([[1], [2, 3, 4]]);
});

test('what one turn of the event loop brings goes together', async () => {
  const { batches, run } = noted();
  await Promise.all([1, 2, 3].map(batched(run, { maxItems: 100, concurrency: 1 })));
  expect(batches).toStrictEqual([[1, 2, 3]]);
});

test('batches are cut at maxItems, in the order of arrival, and at most `concurrency` are under way', async () => {
  const { batches, run, most } = noted();
  const double = batched(run, { maxItems: 3, concurrency: 2 });
  const items = Array.from({ length: 20 }, (_, i) => i);
  expect(await Promise.all(items.map(double))).toStrictEqual(items.map((item) => 2 * item));
  expect(batches.map((batch) => batch.length)).toStrictEqual([3, 3, 3, 3, 3, 3, 2]);
  expect(batches.flat()).toStrictEqual(items);
  expect(most()).toBe(2);
});

test('an error rejects the items of its batch, and of no other', async () => {
  const error = new Error('no');
  const run = async (items: readonly number[]) => {
    await wait(1);
    if (items.includes(2)) throw error;
    return items;
  };
  const same = batched(run, { maxItems: 2, concurrency: 1 });
  const results = await Promise.allSettled([1, 2, 3, 4].map(same));
  expect(results).toStrictEqual([
    { status: 'rejected', reason: error },
    { status: 'rejected', reason: error },
    { status: 'fulfilled', value: 3 },
    { status: 'fulfilled', value: 4 },
  ]);
});

test('a run that throws at once, or loses a result, rejects its batch', async () => {
  const throwing = batched<number, number>(
    () => {
      throw new Error('at once');
    },
    { maxItems: 10, concurrency: 1 },
  );
  await expect(throwing(1)).rejects.toThrow('at once');
  await expect(throwing(1)).rejects.toThrow('at once');
  const losing = batched(async (items: readonly number[]) => items.slice(1), { maxItems: 10, concurrency: 1 });
  await expect(losing(1)).rejects.toThrow('a batch has one result for each of its items');
});

test('a queue that grows without end is refused as unavailable', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stuck = batched(
    async (items: readonly number[]) => {
      await promise;
      return items;
    },
    { maxItems: 1, concurrency: 1 },
  );
  const first = stuck(0);
  await wait(1);
  const waiting = Array.from({ length: 10_000 }, (_, i) => stuck(i));
  await expect(stuck(1)).rejects.toMatchObject({ code: 'Unavailable' });
  resolve();
  await Promise.all([first, ...waiting.slice(0, 10)]);
});
