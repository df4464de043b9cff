import { expect, test } from 'vitest';
import { sparingly } from '../../src/base/sparingly.ts';

test('the first event of each interval is told, with the number of those that were not', () => {
  const told: [string, number][] = [];
  let now = 5_000;
  const tell = sparingly((reason, leftOut) => told.push([reason, leftOut]), { everyMs: 1_000, clock: () => now });
  for (const [at, reason] of [
    [5_000, 'a'],
    [5_001, 'b'],
    [5_999, 'c'],
    [6_000, 'd'],
    [6_500, 'e'],
    [9_000, 'f'],
    [10_000, 'g'],
  ] as const) {
    now = at;
    tell(reason);
  }
  expect(told).toEqual([
    ['a', 0],
    ['d', 2],
    ['f', 1],
    ['g', 0],
  ]);
});
