import { shake256 } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import { concat, toBigInt, u32, utf8 } from '../../src/base/bytes.ts';
import { groupOf } from '../../src/crypto/groups/index.ts';
import { decodeSeeds, encodeSeeds, pseudoRandomSharing, setUpSeeds } from '../../src/mpc/prss.ts';
import { interpolateAtZero, subsetsOf } from '../../src/mpc/shamir.ts';
import { clusterOf, of } from './memoryParty.ts';

const orders = (['secp256k1', 'stark'] as const).map((curve) => ({ curve, n: groupOf(curve).order }));
const clusters = [
  { size: 3, threshold: 1, seedsEach: 2 },
  { size: 4, threshold: 1, seedsEach: 3 },
  { size: 5, threshold: 2, seedsEach: 6 },
  { size: 7, threshold: 2, seedsEach: 15 },
  { size: 7, threshold: 3, seedsEach: 20 },
];

describe.each(clusters)('Pseudo-random secret sharing, $size/$threshold', ({ size, threshold, seedsEach }) => {
  const made = clusterOf(size).run((party) => setUpSeeds(party, { threshold }));

  it('gives every seed to exactly those outside its set', async () => {
    const bySet = new Map<string, Set<string>>();
    for (const [index, { keys }] of await made) {
      expect(keys).toHaveLength(seedsEach);
      for (const { without, key } of keys) {
        expect(without).not.toContain(index);
        bySet.set(without.join(), (bySet.get(without.join()) ?? new Set()).add(key.join()));
      }
    }
    expect([...bySet.values()].every((keys) => keys.size === 1)).toBe(true);
    expect(new Set([...bySet.values()].flatMap((keys) => [...keys])).size).toBe(bySet.size);
  });

  it.each(orders)('shares a random number of $curve with degree t: the same from every t + 1', async ({ n }) => {
    const seeds = await made;
    const share = (i: number) => pseudoRandomSharing(of(seeds, i), n)([utf8('a label')], { random: 2, zero: 1 }).random[1] ?? 0n;
    const secrets = subsetsOf([...seeds.keys()], threshold + 1).map((set) => interpolateAtZero(new Map(set.map((i) => [i, share(i)])), n));
    expect(new Set(secrets).size).toBe(1);
    const few = subsetsOf([...seeds.keys()], threshold).map((set) => interpolateAtZero(new Map(set.map((i) => [i, share(i)])), n));
    expect(few).not.toContain(secrets[0]);
  });

  it.each(orders)('shares zero of $curve with degree 2t: zero from every 2t + 1, and not from fewer', async ({ n }) => {
    const seeds = await made;
    const share = (i: number) => pseudoRandomSharing(of(seeds, i), n)([utf8('a label')], { random: 1, zero: 2 }).zero[1] ?? 0n;
    for (const set of subsetsOf([...seeds.keys()], 2 * threshold + 1)) {
      const shares = set.map((i): [number, bigint] => [i, share(i)]);
      expect(interpolateAtZero(new Map(shares), n)).toBe(0n);
      expect(interpolateAtZero(new Map(shares.slice(1)), n)).not.toBe(0n);
    }
  });

  it('gives independent sharings within a label, for other labels, and where another number of them is drawn', async () => {
    const draw = pseudoRandomSharing(of(await made, 1), orders[0]?.n ?? 1n);
    const all = [
      draw([utf8('a')], { random: 2, zero: 2 }),
      draw([utf8('b')], { random: 2, zero: 2 }),
      draw([utf8('a')], { random: 3, zero: 1 }),
      draw([utf8('a')], { random: 1, zero: 2 }),
    ].flatMap(({ random, zero }) => [...random, ...zero]);
    expect(new Set(all).size).toBe(4 + 4 + 4 + 3);
  });

  it('gives the same to the same label', async () => {
    const seeds = of(await made, 1);
    const drawn = () => pseudoRandomSharing({ ...seeds }, orders[0]?.n ?? 1n)([utf8('a label')], { random: 1, zero: 1 });
    expect(drawn()).toEqual(drawn());
  });

  it('comes back from its encoding', async () => {
    for (const seeds of (await made).values()) expect(decodeSeeds(encodeSeeds(seeds))).toEqual(seeds);
  });
});

describe('Seeds', () => {
  it('are refused when cut off, too long, or of another version', async () => {
    const seeds = of(await clusterOf(3).run((party) => setUpSeeds(party, { threshold: 1 })), 2);
    const encoded = encodeSeeds(seeds);
    for (let length = 0; length < encoded.length; length++) expect(() => decodeSeeds(encoded.subarray(0, length))).toThrow();
    expect(() => decodeSeeds(new Uint8Array([...encoded, 0]))).toThrow();
    expect(() => decodeSeeds(encoded.with(3, 2))).toThrow('version');
  });

  it('differ between sessions', async () => {
    const cluster = clusterOf(3);
    const [a, b] = [
      await cluster.run((party) => setUpSeeds(party, { threshold: 1 })),
      await cluster.run((party) => setUpSeeds(party, { threshold: 1 })),
    ];
    expect(of(a, 1).keys[0]?.key).not.toEqual(of(b, 1).keys[0]?.key);
  });

  it('are refused with a threshold that leaves no holder', async () => {
    await expect(clusterOf(3).run((party) => setUpSeeds(party, { threshold: 3 }))).rejects.toThrow('from 1 to n − 1');
  });
});

describe('The stream of a seed', () => {
  it('is SHAKE256 of seed, label and counts, 48 bytes a number', () => {
    const { n } = orders[0] ?? { n: 1n };
    const key = new Uint8Array(32).fill(7);
    const seeds = { index: 1, threshold: 1, participants: [1, 2, 3], keys: [{ without: [2], key }] };
    const { random, zero } = pseudoRandomSharing(seeds, n)([utf8('a label')], { random: 1, zero: 1 });
    const stream = shake256(concat(key, utf8('a label'), u32(1), u32(1)), { dkLen: 96 });
    // f_{2}(1) = 1 − 1/2, whose double is 1.
    expect((2n * (random[0] ?? 0n)) % n).toBe(toBigInt(stream.subarray(0, 48)) % n);
    expect((2n * (zero[0] ?? 0n)) % n).toBe(toBigInt(stream.subarray(48)) % n);
  });
});
