/** What serves once is given once, and is overwritten when it is not taken in time. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { oneUse } from '../../src/signer/oneUse.ts';

const maxAgeMs = 1_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function memory(max = 4) {
  const wiped: string[] = [];
  return { wiped, ...oneUse<string>({ max, maxAgeMs, clock: () => Date.now(), wipe: (secret) => void wiped.push(secret) }) };
}

test('each is given once', () => {
  const { put, has, take, wiped } = memory();
  put('a', ['a0', 'a1']);
  expect([has('a', 1), take('a', 1), take('a', 1), has('a', 1)]).toEqual([true, 'a1', undefined, false]);
  expect([take('a', 2), take('b', 0), take('a', 0)]).toEqual([undefined, undefined, 'a0']);
  expect(wiped).toEqual([]);
});

test('a name that is taken replaces nothing', () => {
  const { put, take, wiped } = memory();
  expect(put('a', ['a0'])).toBe(true);
  expect(put('a', ['other'])).toBe(false);
  expect([take('a', 0), wiped]).toEqual(['a0', ['other']]);
});

test('of too many the oldest batch gives way whole, without what was taken of it', () => {
  const { put, take, wiped } = memory(4);
  put('a', ['a0', 'a1', 'a2']);
  put('b', ['b0']);
  expect(take('a', 1)).toBe('a1');
  put('c', ['c0', 'c1']);
  expect(wiped).toEqual(['a0', 'a2']);
  expect([take('a', 0), take('b', 0), take('c', 1)]).toEqual([undefined, 'b0', 'c1']);
});

test('what is too old is not given, and is overwritten though nobody asks', () => {
  const { put, take, wiped } = memory();
  put('a', ['a0']);
  vi.advanceTimersByTime(maxAgeMs / 2);
  put('b', ['b0']);
  vi.setSystemTime(Date.now() + maxAgeMs);
  expect(take('a', 0)).toBeUndefined();
  expect(wiped).toEqual(['a0']);
  vi.advanceTimersByTime(2 * maxAgeMs);
  expect(wiped).toEqual(['a0', 'b0']);
  expect(vi.getTimerCount()).toBe(0);
});
