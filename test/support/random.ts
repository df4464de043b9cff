/** Random values that a seed brings back: what a test found, it finds again. */

import { createHash, randomInt } from 'node:crypto';
import { toBigInt } from '../../src/base/bytes.ts';

export interface Random {
  readonly seed: string;
  bytes(length: number): Uint8Array;
  /** Uniform in [0, below). */
  int(below: number): number;
  /** Up to so many bits, short numbers as likely as long ones. */
  bigint(bits: number): bigint;
  bool(): boolean;
  pick<T>(items: readonly T[]): T;
  /** From 0 to `most` of them. */
  list<T>(most: number, item: () => T): T[];
}

/** Another seed at every run, or the one in the environment: `SEED=… npm test`. */
export function runSeed(): string {
  return process.env.SEED ?? String(randomInt(2 ** 32));
}

/** SHA-256 in counter mode: not fast, the same everywhere. */
export function randomOf(seed: string): Random {
  let counter = 0;
  let pool = new Uint8Array(0);

  const bytes = (length: number): Uint8Array => {
    const out = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      if (pool.length === 0) pool = new Uint8Array(createHash('sha256').update(`${seed}/${counter++}`).digest());
      const part = pool.subarray(0, length - at);
      out.set(part, at);
      at += part.length;
      pool = pool.subarray(part.length);
    }
    return out;
  };
  const int = (below: number): number => Number(toBigInt(bytes(8)) % BigInt(below));

  return {
    seed,
    bytes,
    int,
    bigint: (bits) => BigInt.asUintN(bits, toBigInt(bytes(Math.ceil(bits / 8)))) >> BigInt(int(bits)),
    bool: () => int(2) === 0,
    pick<T>(items: readonly T[]): T {
      if (items.length === 0) throw new Error('nothing to pick from');
      return items[int(items.length)] as T; // below its length
    },
    list: (most, item) => Array.from({ length: int(most + 1) }, item),
  };
}
