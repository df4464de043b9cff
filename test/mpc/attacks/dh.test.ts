import { describe, expect, it } from 'vitest';
import { concat, utf8 } from '../../../src/base/bytes.ts';
import { groupOf } from '../../../src/crypto/groups/index.ts';
import { combine } from '../../../src/mpc/dh/combine.ts';
import { evaluate } from '../../../src/mpc/dh/evaluate.ts';
import { of } from '../memoryParty.ts';
import { type Keyed, keyedCluster } from '../signing.ts';
import { abortOf, corrupt, flipBit, splice } from './tampering.ts';

const group = groupOf('secp256k1');
const input = { domain: utf8('countersign/test'), seed: utf8('a seed') };
const set = [1, 2, 3];
const orderAsScalar = Uint8Array.from(Buffer.from(group.order.toString(16), 'hex'));
const keyedOnce = keyedCluster('DH/secp256k1', 3, 1);

function partialOf({ keys }: Keyed, i: number, other: Partial<typeof input> = {}): Uint8Array {
  const { secret, verificationShares } = of(keys, i);
  return evaluate({ ...input, ...other, secret, verificationShare: of(verificationShares, i) });
}

const attacks: { name: string; forge: (keyed: Keyed, honest: Uint8Array) => Uint8Array }[] = [
  {
    name: 'another point, with the proof of the right one',
    forge: (_, honest) => splice(honest, 0, group.encodePoint(group.multiplyBase(7n))),
  },
  { name: 'the negated point', forge: (_, honest) => flipBit(honest, 0) },
  { name: 'the point at infinity', forge: (_, honest) => splice(honest, 0, new Uint8Array(33)) },
  { name: 'a point off the curve', forge: (_, honest) => splice(honest, 0, Uint8Array.of(0x02, ...new Uint8Array(31), 5)) },
  { name: 'a flipped challenge', forge: (_, honest) => flipBit(honest, 33 + 31) },
  { name: 'a flipped response', forge: (_, honest) => flipBit(honest, 33 + 63) },
  { name: 'a challenge ≥ n', forge: (_, honest) => splice(honest, 33, orderAsScalar) },
  { name: 'a response ≥ n', forge: (_, honest) => splice(honest, 65, orderAsScalar) },
  { name: 'a proof of zeros', forge: (_, honest) => splice(honest, 33, new Uint8Array(64)) },
  { name: 'one byte short', forge: (_, honest) => honest.subarray(0, -1) },
  { name: 'one byte long', forge: (_, honest) => concat(honest, Uint8Array.of(0)) },
  { name: 'empty', forge: () => new Uint8Array(0) },
  { name: 'the partial of another participant', forge: (keyed) => partialOf(keyed, 3) },
  { name: 'the partial of another seed, replayed', forge: (keyed) => partialOf(keyed, corrupt, { seed: utf8('another seed') }) },
  { name: 'the partial of another domain, replayed', forge: (keyed) => partialOf(keyed, corrupt, { domain: utf8('another') }) },
  {
    name: 'made with another secret',
    forge: ({ keys }) => {
      const verificationShare = of(of(keys, corrupt).verificationShares, corrupt);
      return evaluate({ ...input, secret: group.encodeScalar(group.randomScalar()), verificationShare });
    },
  },
  {
    name: 'made with another secret, proven for that secret',
    forge: () => {
      const x = group.randomScalar();
      return evaluate({ ...input, secret: group.encodeScalar(x), verificationShare: group.encodePoint(group.multiplyBase(x)) });
    },
  },
];

describe('Attacks on distributed Diffie-Hellman: no result, and the culprit is named', () => {
  const combined = (keyed: Keyed, partials: ReadonlyMap<number, Uint8Array>) => {
    const { verificationShares } = of(keyed.keys, 1);
    return combine({ ...input, threshold: 1, publicKey: keyed.publicKey, verificationShares, partials });
  };

  for (const { name, forge } of attacks) {
    it(`a partial ${name}`, async () => {
      const keyed = await keyedOnce;
      const partials = new Map(set.map((i) => [i, partialOf(keyed, i)]));
      partials.set(corrupt, forge(keyed, of(partials, corrupt)));
      expect(abortOf(() => combined(keyed, partials)).culprits).toEqual([corrupt]);
    });
  }

  it('two bad partials: both are named', async () => {
    const keyed = await keyedOnce;
    const partials = new Map(set.map((i) => [i, i === 1 ? partialOf(keyed, i) : flipBit(partialOf(keyed, i), 90)]));
    expect(abortOf(() => combined(keyed, partials)).culprits).toEqual([2, 3]);
  });

  it('a participant that the key does not know is named', async () => {
    const keyed = await keyedOnce;
    const partials = new Map([
      [1, partialOf(keyed, 1)],
      [9, partialOf(keyed, 2)],
    ]);
    expect(abortOf(() => combined(keyed, partials)).culprits).toEqual([9]);
  });

  it('verification shares that are not of the public key: no result', async () => {
    const [keyed, other] = [await keyedOnce, await keyedCluster('DH/secp256k1', 3, 1)];
    const partials = new Map(set.map((i) => [i, partialOf(keyed, i)]));
    expect(() => combined({ ...keyed, publicKey: other.publicKey }, partials)).toThrow('a sharing of the public key');
  });
});
