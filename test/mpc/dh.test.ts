import { createHash } from 'node:crypto';
import { secp256k1, secp256k1_hasher } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/base/bytes.ts';
import { groupOf } from '../../src/crypto/groups/index.ts';
import { combine } from '../../src/mpc/dh/combine.ts';
import { evaluate } from '../../src/mpc/dh/evaluate.ts';
import { interpolateAtZero, subsetsOf } from '../../src/mpc/shamir.ts';
import { of } from './memoryParty.ts';
import { type Keyed, keyedCluster } from './signing.ts';

const group = groupOf('secp256k1');

/** The whole key, which exists in this test only. */
function oracle({ keys, threshold }: Keyed, domain: Uint8Array, seed: Uint8Array): Uint8Array {
  const shares = [...keys].slice(0, threshold + 1).map(([i, { secret }]): [number, bigint] => [i, group.decodeScalar(secret)]);
  const P = secp256k1.Point.fromAffine(secp256k1_hasher.hashToCurve(seed, { DST: domain }).toAffine());
  const shared = P.multiply(interpolateAtZero(new Map(shares), group.order));
  return new Uint8Array(createHash('sha256').update(shared.toBytes(true)).digest());
}

describe.each([
  { size: 3, threshold: 1 },
  { size: 4, threshold: 1 },
  { size: 5, threshold: 2 },
])('Distributed Diffie-Hellman with $size/$threshold', ({ size, threshold }) => {
  const made = keyedCluster('DH/secp256k1', size, threshold);
  const input = { domain: utf8('countersign/test'), seed: utf8('a seed') };

  it('gives what the whole key gives, for every t + 1 and for everybody', async () => {
    const keyed = await made;
    const { verificationShares } = of(keyed.keys, 1);
    const expected = oracle(keyed, input.domain, input.seed);
    for (const set of [...subsetsOf(keyed.cluster.participants, threshold + 1), keyed.cluster.participants]) {
      const partials = new Map(
        set.map((i) => [i, evaluate({ ...input, secret: of(keyed.keys, i).secret, verificationShare: of(verificationShares, i) })]),
      );
      expect(combine({ ...input, threshold, publicKey: keyed.publicKey, verificationShares, partials })).toEqual(expected);
    }
  });

  it('gives something else for another domain, another seed, another key', async () => {
    const keyed = await made;
    const all = [
      oracle(keyed, input.domain, input.seed),
      oracle(keyed, utf8('another domain'), input.seed),
      oracle(keyed, input.domain, utf8('another seed')),
      oracle(await keyedCluster('DH/secp256k1', size, threshold), input.domain, input.seed),
    ];
    expect(new Set(all.map((output) => output.join())).size).toBe(4);
  });

  it('refuses too few partials, and an empty domain', async () => {
    const keyed = await made;
    const { secret, verificationShares } = of(keyed.keys, 1);
    const partial = evaluate({ ...input, secret, verificationShare: of(verificationShares, 1) });
    const few = { ...input, threshold, publicKey: keyed.publicKey, verificationShares, partials: new Map([[1, partial]]) };
    expect(() => combine(few)).toThrow('more than the threshold');
    expect(() => evaluate({ secret, verificationShare: of(verificationShares, 1), domain: new Uint8Array(0), seed: input.seed })).toThrow(
      'domain',
    );
  });
});
