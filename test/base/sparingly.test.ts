import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sparingly } from '../../src/base/sparingly.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the first event is told at once, and of a flood the last one of each interval, with the number of those that were not', () => {
  const told: [string, number][] = [];
  const tell = sparingly((reason, leftOut) => told.push([reason, leftOut]), 1_000);
  tell('a');
  for (const reason of ['b', 'c', 'd']) tell(reason);
  expect(told).toEqual([['a', 0]]);
  vi.advanceTimersByTime(1_000);
  expect(told.slice(1)).toEqual([['d', 2]]);
  tell('e');
  vi.advanceTimersByTime(999);
  expect(told.length).toBe(2);
  vi.advanceTimersByTime(1);
  expect(told.slice(2)).toEqual([['e', 0]]);
  vi.advanceTimersByTime(5_000);
  tell('f');
  expect(told.slice(3)).toEqual([['f', 0]]);
});
