/** Attacks on distributed Diffie-Hellman: no result, and the culprit is named. @module */

import { expect } from 'vitest';
import { concat, utf8 } from '../../../src/base/bytes.ts';
import { groupOf } from '../../../src/crypto/groups/index.ts';
import { combine } from '../../../src/mpc/dh/combine.ts';
import { evaluate } from '../../../src/mpc/dh/evaluate.ts';
import { of } from '../memoryParty.ts';
import { type Keyed, keyedCluster } from '../signing.ts';
import type { Attack, Case } from './cases.ts';
import { abortOf, corrupt, flipBit, offCurve, once, orderAsScalar, splice, victim } from './tampering.ts';

const group = groupOf('secp256k1');
const input = { domain: utf8('countersign/test'), seed: utf8('a seed') };
const set = [1, 2, 3];
const keyedOnce = once(() => keyedCluster('DH/secp256k1', 3, 1));

function partialOf({ keys }: Keyed, i: number, other: Partial<typeof input> = {}): Uint8Array {
  const { secret, verificationShares } = of(keys, i);
  return evaluate({ ...input, ...other, secret, verificationShare: of(verificationShares, i) });
}

const forgeries: { attack: Attack; name: string; forge: (keyed: Keyed, honest: Uint8Array) => Uint8Array }[] = [
  {
    attack: 'wrong value',
    name: 'another point, with the proof of the right one',
    forge: (_, honest) => splice(honest, 0, group.encodePoint(group.multiplyBase(7n))),
  },
  { attack: 'bit flipped', name: 'the negated point', forge: (_, honest) => flipBit(honest, 0) },
  { attack: 'point at infinity', name: 'the point at infinity', forge: (_, honest) => splice(honest, 0, new Uint8Array(33)) },
  { attack: 'point off the curve', name: 'a point off the curve', forge: (_, honest) => splice(honest, 0, offCurve) },
  { attack: 'bit flipped', name: 'a flipped challenge', forge: (_, honest) => flipBit(honest, 33 + 31) },
  { attack: 'bit flipped', name: 'a flipped response', forge: (_, honest) => flipBit(honest, 33 + 63) },
  { attack: 'scalar out of range', name: 'a challenge ≥ n', forge: (_, honest) => splice(honest, 33, orderAsScalar) },
  { attack: 'scalar out of range', name: 'a response ≥ n', forge: (_, honest) => splice(honest, 65, orderAsScalar) },
  { attack: 'wrong value', name: 'a proof of zeros', forge: (_, honest) => splice(honest, 33, new Uint8Array(64)) },
  { attack: 'wrong length', name: 'one byte short', forge: (_, honest) => honest.subarray(0, -1) },
  { attack: 'wrong length', name: 'one byte long', forge: (_, honest) => concat(honest, Uint8Array.of(0)) },
  { attack: 'wrong length', name: 'empty', forge: () => new Uint8Array(0) },
  { attack: 'wrong sender', name: 'the partial of another participant', forge: (keyed) => partialOf(keyed, 3) },
  {
    attack: 'replayed',
    name: 'the partial of another seed, replayed',
    forge: (keyed) => partialOf(keyed, corrupt, { seed: utf8('another seed') }),
  },
  {
    attack: 'replayed',
    name: 'the partial of another domain, replayed',
    forge: (keyed) => partialOf(keyed, corrupt, { domain: utf8('another') }),
  },
  {
    attack: 'wrong value',
    name: 'made with another secret',
    forge: ({ keys }) => {
      const verificationShare = of(of(keys, corrupt).verificationShares, corrupt);
      return evaluate({ ...input, secret: group.encodeScalar(group.randomScalar()), verificationShare });
    },
  },
  {
    attack: 'wrong value',
    name: 'made with another secret, proven for that secret',
    forge: () => {
      const x = group.randomScalar();
      return evaluate({ ...input, secret: group.encodeScalar(x), verificationShare: group.encodePoint(group.multiplyBase(x)) });
    },
  },
];

const combined = (keyed: Keyed, partials: ReadonlyMap<number, Uint8Array>) => {
  const { verificationShares } = of(keyed.keys, 1);
  return combine({ ...input, threshold: 1, publicKey: keyed.publicKey, verificationShares, partials });
};
const partialsOf = (keyed: Keyed) => new Map(set.map((i) => [i, partialOf(keyed, i)]));

export const dh: readonly Case[] = [
  ...forgeries.map(({ attack, name, forge }) => ({
    message: 'dh/partial' as const,
    attack,
    name,
    async run() {
      const keyed = await keyedOnce();
      const partials = partialsOf(keyed);
      partials.set(corrupt, forge(keyed, of(partials, corrupt)));
      expect(abortOf(() => combined(keyed, partials)).culprits).toEqual([corrupt]);
    },
  })),
  {
    message: 'dh/partial',
    attack: 'wrong value',
    name: 'two of them: both are named',
    async run() {
      const keyed = await keyedOnce();
      const partials = new Map(set.map((i) => [i, i === 1 ? partialOf(keyed, i) : flipBit(partialOf(keyed, i), 90)]));
      expect(abortOf(() => combined(keyed, partials)).culprits).toEqual([2, 3]);
    },
  },
  {
    message: 'dh/partial',
    attack: 'wrong sender',
    name: 'a participant that the key does not know is named',
    async run() {
      const keyed = await keyedOnce();
      const partials = new Map([
        [1, partialOf(keyed, 1)],
        [9, partialOf(keyed, 2)],
      ]);
      expect(abortOf(() => combined(keyed, partials)).culprits).toEqual([9]);
    },
  },
  {
    message: 'dh/partial',
    attack: 'duplicated',
    name: 'under another participant’s number, where it takes two: that one is named',
    async run() {
      const keyed = await keyedOnce();
      const partial = partialOf(keyed, victim);
      expect(
        abortOf(() =>
          combined(
            keyed,
            new Map([
              [victim, partial],
              [corrupt, partial],
            ]),
          ),
        ).culprits,
      ).toEqual([corrupt]);
    },
  },
  {
    message: 'dh/partial',
    attack: 'reordered',
    name: 'two exchanged: both are named; in another order: the result is the same',
    async run() {
      const keyed = await keyedOnce();
      const partials = partialsOf(keyed);
      const honest = combined(keyed, partials);
      expect(combined(keyed, new Map([...partials].toReversed()))).toEqual(honest);
      const exchanged = new Map([...partials, [2, of(partials, 3)] as const, [3, of(partials, 2)] as const]);
      expect(abortOf(() => combined(keyed, exchanged)).culprits).toEqual([2, 3]);
    },
  },
  {
    message: 'dh/partial',
    attack: 'dropped',
    name: 'so that one is left: no result',
    async run() {
      const keyed = await keyedOnce();
      expect(() => combined(keyed, new Map([[1, partialOf(keyed, 1)]]))).toThrow();
    },
  },
  {
    message: 'dh/partial',
    attack: 'another key’s',
    name: 'verification shares that are not of the public key: no result',
    async run() {
      const [keyed, other] = [await keyedOnce(), await keyedCluster('DH/secp256k1', 3, 1)];
      expect(() => combined({ ...keyed, publicKey: other.publicKey }, partialsOf(keyed))).toThrow('a sharing of the public key');
    },
  },
];
