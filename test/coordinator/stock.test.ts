/** The stocks of what signers make ahead: taken once, in turn, bounded, forgotten with the memory they stand for. */

import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { Refusal } from '../../src/base/errors.ts';
import type { Link } from '../../src/coordinator/link.ts';
import { nonceStock } from '../../src/coordinator/nonces.ts';
import { createStock } from '../../src/coordinator/stock.ts';
import { type Claimant, turns } from '../../src/coordinator/turns.ts';

const claimant = (keyId: string, organisationId = 'or'): Claimant => ({ organisationId, keyId });

/** Makes numbers, a batch whenever the test lets it. */
function factory() {
  const asked: { count: number; answer(made?: number): Promise<void>; fail(error: Error): Promise<void> }[] = [];
  const metered = { refills: 0, dry: 0 };
  let next = 0;
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
  const stock = createStock<number>({
    batch: { least: 4, most: 8 },
    meter: { refilled: () => (metered.refills += 1), foundDry: () => (metered.dry += 1) },
    make(count) {
      const { promise, resolve, reject } = Promise.withResolvers<readonly number[]>();
      asked.push({
        count,
        answer(made = count) {
          resolve(Array.from({ length: made }, () => next++));
          return settled();
        },
        fail(error) {
          reject(error);
          return settled();
        },
      });
      return promise;
    },
  });
  return { stock, asked, metered };
}

describe('turns', () => {
  test('go round the organisations, and within each round its keys', () => {
    const queue = turns<string>();
    for (const i of [1, 2, 3, 4]) queue.add(claimant('a'), `a${i}`);
    for (const i of [1, 2]) queue.add(claimant('b'), `b${i}`);
    for (const i of [1, 2]) queue.add(claimant('z', 'another'), `z${i}`);
    expect(queue.size).toBe(8);
    expect(Array.from({ length: 9 }, () => queue.next())).toEqual(['a1', 'z1', 'b1', 'z2', 'a2', 'b2', 'a3', 'a4', undefined]);
    expect(queue.size).toBe(0);
  });

  test('of whatever comes and goes, a line is served in its order, and each waits for a turn of every line for each before it in its own', () => {
    const lines = 5;
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer({ min: 0, max: lines - 1 })), { maxLength: 200 }), (events) => {
        const queue = turns<{ line: number; number: number; latest: number }>();
        const [added, served] = [Array<number>(lines).fill(0), Array<number>(lines).fill(0)];
        let turn = 0;
        for (const line of events) {
          if (line === null) {
            const item = queue.next();
            if (item === undefined) continue;
            turn += 1;
            expect(item.number).toBe(served[item.line]);
            expect(turn).toBeLessThanOrEqual(item.latest);
            served[item.line] = item.number + 1;
          } else {
            const number = added[line] ?? 0;
            queue.add(claimant(`key${line}`), { line, number, latest: turn + (number - (served[line] ?? 0) + 1) * lines });
            added[line] = number + 1;
          }
        }
        expect(queue.size).toBe(added.reduce((sum, count, line) => sum + count - (served[line] ?? 0), 0));
      }),
    );
  });
});

describe('a stock', () => {
  test('that is dry has some made at once, and gives each out once', async () => {
    const { stock, asked, metered } = factory();
    const taken = Promise.all(Array.from({ length: 3 }, () => stock.take(claimant('a'))));
    expect(asked.map(({ count }) => count)).toEqual([4]);
    await asked[0]?.answer();
    expect(new Set(await taken).size).toBe(3);
    expect(metered.dry).toBe(3);
  });

  test('is refilled before it is empty, in the background', async () => {
    const { stock, asked, metered } = factory();
    const first = stock.take(claimant('a'));
    await asked[0]?.answer();
    await first;
    await asked[1]?.answer();
    const before = metered.dry;
    for (let i = 0; i < 4; i++) {
      await stock.take(claimant('a'));
      for (const { answer } of asked.splice(0)) await answer();
    }
    expect(metered.dry).toBe(before);
    expect(metered.refills).toBeGreaterThan(1);
  });

  test('holds no more than its greatest batch and its reserve, however long nobody takes', async () => {
    const { stock, asked } = factory();
    void stock.take(claimant('a'));
    for (let i = 0; i < 20; i++) await asked[i]?.answer();
    expect(asked.length).toBeLessThan(4);
    expect(stock.depth).toBeLessThanOrEqual(8);
  });

  test('keeps a flood on one key from starving another', async () => {
    const { stock, asked } = factory();
    const order: string[] = [];
    const take = (key: string) => stock.take(claimant(key)).then(() => order.push(key));
    const flood = Array.from({ length: 100 }, () => take('flood'));
    const other = take('other');
    await asked[0]?.answer();
    await other;
    expect(order.indexOf('other')).toBeLessThanOrEqual(1);
    for (let i = 1; order.length < 101; i++) await asked[i]?.answer();
    await Promise.all(flood);
  });

  test('refuses the last of the longest line when too many wait, not whoever comes', async () => {
    const { stock, asked } = factory();
    const flood = Array.from({ length: 4096 }, () => stock.take(claimant('flood')));
    const last = flood.at(-1);
    const refused = expect(last).rejects.toEqual(new Refusal('Unavailable', 'too many signatures wait for the signers'));
    const other = stock.take(claimant('other'));
    await refused;
    await asked[0]?.answer();
    await expect(other).resolves.toBeTypeOf('number');
    void Promise.allSettled(flood);
  });

  test('tells those who wait that nothing could be made, and tries again for the next', async () => {
    const { stock, asked } = factory();
    const waiting = [stock.take(claimant('a')), stock.take(claimant('b'))];
    const outcomes = Promise.allSettled(waiting);
    await asked[0]?.fail(new Error('no signers'));
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const later = stock.take(claimant('a'));
    await asked[1]?.answer();
    await expect(later).resolves.toBeTypeOf('number');
  });

  test('forgets what is gone, and what is too old', async () => {
    const { stock, asked } = factory();
    const first = stock.take(claimant('a'));
    await asked[0]?.answer();
    await first;
    expect(stock.depth).toBeGreaterThan(0);
    stock.discard(() => true);
    expect(stock.depth).toBe(0);

    const second = stock.take(claimant('a'));
    await asked.at(-1)?.answer();
    await second;
    const now = performance.now();
    vi.spyOn(performance, 'now').mockReturnValue(now + 5 * 60_000 + 1);
    expect(stock.depth).toBe(0);
    vi.restoreAllMocks();
  });
});

describe('the stock of nonces', () => {
  const meter = () => ({ refilled: () => undefined, foundDry: () => undefined });
  let batches = 0;
  /** A signer that makes so many nonces when asked for some. */
  const signer = (index: number, made = (count: number) => count): Link => ({
    index,
    likelyUp: true,
    awake: async () => undefined,
    ask: async (_method: unknown, params: unknown) => {
      const batch = new Uint8Array(32).fill(++batches);
      const { count } = params as { count: number };
      return { batch, commitments: Array.from({ length: made(count) }, () => ({ hiding: batch, binding: batch })) } as never;
    },
    onLost: () => undefined,
    close: () => undefined,
  });

  test('never gives one out twice, and none of a batch that the signer has lost', async () => {
    const stock = nonceStock(meter);
    const link = signer(1);
    const taken = await Promise.all(Array.from({ length: 200 }, () => stock.take('EdDSA/ed25519', link, claimant('a'))));
    expect(new Set(taken.map(({ batch, number }) => `${batch[0]}/${number}`)).size).toBe(200);
    const next = await stock.take('EdDSA/ed25519', link, claimant('a'));
    stock.discard(link, next.batch);
    expect((await stock.take('EdDSA/ed25519', link, claimant('a'))).batch).not.toEqual(next.batch);
  });

  test('forgets all of a signer that was lost, and nothing of the others', async () => {
    const stock = nonceStock(meter);
    const links = [signer(1), signer(2)];
    const before = await Promise.all(links.map((link) => stock.take('EdDSA/ed25519', link, claimant('a'))));
    stock.forget(1);
    const after = await Promise.all(links.map((link) => stock.take('EdDSA/ed25519', link, claimant('a'))));
    expect(after[0]?.batch).not.toEqual(before[0]?.batch);
    expect(after[1]?.batch).toEqual(before[1]?.batch);
  });

  test('takes no other number of commitments than it asked for', async () => {
    for (const made of [() => 0, (count: number) => count + 1]) {
      await expect(nonceStock(meter).take('EdDSA/ed25519', signer(2, made), claimant('a'))).rejects.toMatchObject({ culprits: [2] });
    }
  });
});
