/** An open share serves as long as it is in use, and nothing of it is left when it is let go. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { KeyShare } from '../../src/mpc/keyShare.ts';
import { openShares } from '../../src/signer/openShares.ts';

const idleMs = 1_000;
const wiped = new Uint8Array(32);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function shares(max = 2) {
  const made: Uint8Array[] = [];
  const memory = openShares({ max, idleMs });
  return {
    made,
    drop: memory.drop,
    use(keyId: string, epoch = 0) {
      return memory.get(keyId, epoch, () => {
        const secret = new Uint8Array(32).fill(made.length + 1);
        made.push(secret);
        return { secret } as KeyShare; // of a share, only its secret matters here
      });
    },
  };
}

test('it is opened once while it is used', () => {
  const { use, made } = shares();
  for (let i = 0; i < 5; i++) {
    expect(use('a').secret).toEqual(new Uint8Array(32).fill(1));
    vi.advanceTimersByTime(idleMs - 1);
  }
  expect(made).toHaveLength(1);
});

test('what is used no more is overwritten in time', () => {
  const { use, made } = shares();
  use('a');
  vi.advanceTimersByTime(2 * idleMs);
  expect(made).toEqual([wiped]);
  expect(use('a').secret).not.toEqual(wiped);
  expect(vi.getTimerCount()).toBe(1);
});

test('one that is used does not keep another open', () => {
  const { use, made } = shares();
  use('a');
  for (let i = 0; i < 4; i++) {
    vi.advanceTimersByTime(idleMs / 2);
    use('b');
  }
  expect(made[0]).toEqual(wiped);
  expect(made[1]).not.toEqual(wiped);
  expect(made).toHaveLength(2);
});

test('of too many, the one that was used longest ago is overwritten', () => {
  const { use, made } = shares();
  use('a');
  use('b');
  use('a');
  use('c');
  expect(made.map((secret) => secret[0] !== 0)).toEqual([true, false, true]);
});

test('another sharing of the key takes its place, and what is told to go is gone', () => {
  const { use, made, drop } = shares();
  use('a', 0);
  use('a', 1);
  expect(made[0]).toEqual(wiped);
  use('b');
  drop('a');
  expect(made[1]).toEqual(wiped);
  expect(made[2]).not.toEqual(wiped);
  expect(use('a', 1).secret).not.toEqual(wiped);
});
