import { createHash } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { verify as verifyStark } from '@scure/starknet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromBigInt, toHex } from '../../src/base/bytes.ts';
import { groupOf } from '../../src/crypto/groups/index.ts';
import type { Signature } from '../../src/crypto/schemes/scheme.ts';
import { presign } from '../../src/mpc/ecdsa/presign.ts';
import { protocols, quorumOf } from '../../src/mpc/protocols.ts';
import { interpolateAtZero, subsetsOf } from '../../src/mpc/shamir.ts';
import { of } from './memoryParty.ts';
import { childOf, combineEcdsa, ecdsaShare, keyedCluster, presignBatch, seededCluster, signEcdsa } from './signing.ts';

const group = groupOf('secp256k1');
const n = group.order;
const sha256 = (text: string) => new Uint8Array(createHash('sha256').update(text).digest());

/** noble recovers the key from digest, signature and recid: all of them are right, or another key comes out. */
function recovered({ r, s, recid }: Signature, digest: Uint8Array): Uint8Array {
  const signature = concat(Uint8Array.of(recid ?? 9), r, s);
  return secp256k1.recoverPublicKey(signature, digest, { prehash: false });
}

describe.each([
  { size: 3, threshold: 1 },
  { size: 4, threshold: 1 },
  { size: 5, threshold: 2 },
  { size: 7, threshold: 2 },
])('ECDSA over secp256k1 with $size/$threshold', ({ size, threshold }) => {
  const made = seededCluster('secp256k1', size, threshold);

  it('signs with every set of 2t + 1: low s, recid and key as noble sees them', async () => {
    const seeded = await made;
    for (const set of subsetsOf(seeded.cluster.participants, 2 * threshold + 1)) {
      const digest = sha256(`signed by ${set}`);
      const signature = await signEcdsa(seeded, set, { digest });
      expect(recovered(signature, digest)).toEqual(seeded.publicKey);
      expect(secp256k1.verify(concat(signature.r, signature.s), digest, seeded.publicKey, { prehash: false, lowS: true })).toBe(true);
    }
  });

  it('signs with every set as a child', async () => {
    const child = childOf(await made, [44, 7]);
    for (const set of subsetsOf(child.cluster.participants, 2 * threshold + 1)) {
      const digest = sha256(`of a child, signed by ${set}`);
      expect(recovered(await signEcdsa(child, set, { digest }), digest)).toEqual(child.publicKey);
    }
  });
});

describe('ECDSA over secp256k1', () => {
  it('signs any digest but zero: also those beyond the order', async () => {
    const seeded = await seededCluster('secp256k1', 3, 1);
    const batch = await presignBatch(seeded, [1, 2, 3], 24);
    let number = 0;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (digest) => {
        const presignatures = [1, 2, 3].map((i) => of(batch, i)[number]);
        number++;
        const shares = new Map(presignatures.map((p, at) => [at + 1, p ? ecdsaShare(seeded, at + 1, p, { digest }) : new Uint8Array(0)]));
        const [first] = presignatures;
        if (first === undefined) throw new Error('the batch is too small');
        expect(recovered(combineEcdsa(seeded, first, shares, { digest }), digest)).toEqual(seeded.publicKey);
      }),
      {
        numRuns: 20,
        verbose: 1,
        endOnFailure: true,
        examples: [[new Uint8Array(32).fill(0xff)], [fromBigInt(1n, 32)], [fromBigInt(n - 1n, 32)], [fromBigInt(n + 1n, 32)]],
      },
    );
  });

  it.each([
    { name: 'zero', digest: new Uint8Array(32) },
    { name: 'zero modulo the order', digest: fromBigInt(n, 32) },
    { name: 'of 31 bytes', digest: new Uint8Array(31).fill(1) },
    { name: 'of 33 bytes', digest: new Uint8Array(33).fill(1) },
  ])('refuses a digest $name, and uses the presignature up all the same', async ({ digest }) => {
    const seeded = await seededCluster('secp256k1', 3, 1);
    const [presignature] = of(await presignBatch(seeded, [1, 2, 3]), 1);
    if (presignature === undefined) throw new Error('a batch of one holds one');
    expect(() => ecdsaShare(seeded, 1, presignature, { digest })).toThrow(/digest/);
    expect(() => ecdsaShare(seeded, 1, presignature, { digest: sha256('another') })).toThrow('used before');
  });

  it('makes batches that agree among signers and never repeat', async () => {
    const seeded = await seededCluster('secp256k1', 3, 1);
    const names = new Set<string>();
    const points = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const sessionId = new Uint8Array(32); // a coordinator that repeats itself
      const batch = await seeded.cluster.run((party) => presign(party, { ...seeded, seeds: of(seeded.seeds, party.index), count: 8 }), {
        sessionId,
      });
      const view = (i: number) => of(batch, i).map(({ batch: id, number, R }) => `${toHex(id)}/${number}/${toHex(R)}`);
      expect(view(2)).toEqual(view(1));
      expect(view(3)).toEqual(view(1));
      for (const { batch: id, number, R } of of(batch, 1)) {
        names.add(`${toHex(id)}/${number}`);
        points.add(toHex(R));
      }
    }
    expect(names.size).toBe(24);
    expect(points.size).toBe(24);
  });

  it('shares φ with degree t and k·φ with degree 2t: what the theory says of a presignature', async () => {
    const seeded = await seededCluster('secp256k1', 3, 1);
    const batch = await presignBatch(seeded, [1, 2, 3]);
    const parts = [1, 2, 3].map((i) =>
      of(batch, i)[0]?.secrets.spend((secrets) => [secrets.slice(0, 32), secrets.slice(32)].map(group.decodeScalar)),
    );
    const phi = new Map(parts.map((part, at) => [at + 1, part?.[0] ?? 0n]));
    const u = new Map(parts.map((part, at) => [at + 1, part?.[1] ?? 0n]));
    const pairs = subsetsOf([1, 2, 3], 2).map((set) => interpolateAtZero(new Map(set.map((i) => [i, of(phi, i)])), n));
    expect(new Set(pairs).size).toBe(1);
    // u = k·φ, so that (u/φ)·G is R.
    const { Fn } = secp256k1.Point;
    const k = Fn.div(interpolateAtZero(u, n), pairs[0] ?? 0n);
    expect(group.encodePoint(group.multiplyBase(k))).toEqual(of(batch, 1)[0]?.R);
    // But u_i is masked: u_i/φ_i is not the share k_i, which any two would complete.
    const bare = subsetsOf([1, 2, 3], 2).map((set) => interpolateAtZero(new Map(set.map((i) => [i, Fn.div(of(u, i), of(phi, i))])), n));
    expect(new Set(bare).size).toBe(3);
  });

  it('refuses another number of signers than 2t + 1, strangers, and batches beyond the limit', async () => {
    const seeded = await seededCluster('secp256k1', 4, 1);
    const attempt = (participants: readonly number[], count: number) =>
      seeded.cluster.run((party) => presign(party, { ...seeded, seeds: of(seeded.seeds, party.index), count }), { participants });
    await expect(attempt([1, 2], 1)).rejects.toThrow('exactly 2t + 1');
    await expect(attempt([1, 2, 3, 4], 1)).rejects.toThrow('exactly 2t + 1');
    await expect(attempt([1, 2, 3], 0)).rejects.toThrow('1 to 1024');
    await expect(attempt([1, 2, 3], 1025)).rejects.toThrow('1 to 1024');
  });
});

describe('ECDSA over the STARK curve', () => {
  const starkDigest = (text: string) => sha256(text).with(0, 0x07);

  it('signs with every set of 4/1, as @scure/starknet verifies', async () => {
    const seeded = await seededCluster('stark', 4, 1);
    for (const set of subsetsOf([1, 2, 3, 4], 3)) {
      const digest = starkDigest(`signed by ${set}`);
      const { r, s, recid } = await signEcdsa(seeded, set, { digest });
      expect(verifyStark(concat(r, s), toHex(digest), seeded.publicKey)).toBe(true);
      expect(groupOf('stark').decodeScalar(s)).toBeLessThanOrEqual(groupOf('stark').order >> 1n);
      expect([0, 1]).toContain(recid);
    }
  });

  it('signs as a child', async () => {
    const child = childOf(await seededCluster('stark', 3, 1), [5]);
    const digest = starkDigest('of a child');
    const { r, s } = await signEcdsa(child, [1, 2, 3], { digest });
    expect(verifyStark(concat(r, s), toHex(digest), child.publicKey)).toBe(true);
  });

  it('refuses a digest of 2²⁵¹ or more', async () => {
    const seeded = await seededCluster('stark', 3, 1);
    await expect(signEcdsa(seeded, [1, 2, 3], { digest: fromBigInt(2n ** 251n, 32) })).rejects.toThrow('below 2^251');
  });
});

describe('The table of protocols', () => {
  it('takes t + 1 signers, or 2t + 1 for ECDSA', () => {
    const quorums = Object.fromEntries(Object.keys(protocols).map((keyType) => [keyType, quorumOf(keyType as keyof typeof protocols, 2)]));
    expect(quorums).toEqual({ 'ECDSA/secp256k1': 5, 'ECDSA/stark': 5, 'EdDSA/ed25519': 3, 'Schnorr/secp256k1': 3, 'DH/secp256k1': 3 });
  });

  it('has a protocol for every key type that generates keys', async () => {
    const { keys } = await keyedCluster('DH/secp256k1', 3, 1);
    expect(protocols[of(keys, 1).keyType]).toEqual({ family: 'dh' });
  });
});
