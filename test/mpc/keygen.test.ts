import { ed25519_FROST } from '@noble/curves/ed25519.js';
import { secp256k1_FROST } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/base/bytes.ts';
import { type KeyType, keyTypes } from '../../src/base/keyTypes.ts';
import { groupOf } from '../../src/crypto/groups/index.ts';
import { tapTweak } from '../../src/crypto/schemes/taproot.ts';
import { keygen } from '../../src/mpc/dkg.ts';
import { createKeyShare, decodeKeyShare, encodeKeyShare, encodePublic } from '../../src/mpc/keyShare.ts';
import { provePossession, verifyPossession } from '../../src/mpc/possession.ts';
import { evaluate, interpolateAtZero, randomPolynomial, subsetsOf } from '../../src/mpc/shamir.ts';
import { clusterOf, of } from './memoryParty.ts';
import { keyedCluster } from './signing.ts';
import { bytes, type DkgParticipant, type DkgVector, haveVectors, readVector } from './vectors.ts';

const everyKeyType = Object.keys(keyTypes) as KeyType[];
const cases = everyKeyType.flatMap((keyType) =>
  [
    { size: 3, threshold: 1 },
    { size: 4, threshold: 1 },
    { size: 5, threshold: 2 },
  ].map((cluster) => ({ keyType, ...cluster })),
);

describe('Key generation', () => {
  it.each(cases)('of $keyType with $size/$threshold: every t + 1 shares are the key', async ({ keyType, size, threshold }) => {
    const { keys, publicKey } = await keyedCluster(keyType, size, threshold);
    const group = groupOf(keyTypes[keyType].curve);
    expect(new Set([...keys.values()].map((share) => encodePublic(share).join())).size).toBe(1);
    for (const set of subsetsOf([...keys.keys()], threshold + 1)) {
      const x = interpolateAtZero(new Map(set.map((i) => [i, group.decodeScalar(of(keys, i).secret)])), group.order);
      expect(group.encodePoint(group.multiplyBase(x))).toEqual(publicKey);
    }
    for (const [i, { secret, verificationShares }] of keys) {
      expect(group.encodePoint(group.multiplyBase(group.decodeScalar(secret)))).toEqual(of(verificationShares, i));
    }
  });

  it('works with 7/2', async () => {
    const { keys } = await keyedCluster('ECDSA/secp256k1', 7, 2);
    expect(keys.size).toBe(7);
  });

  it('makes another key and chain code each time', async () => {
    const cluster = clusterOf(3);
    const generate = async () => of(await cluster.run((party) => keygen(party, { keyType: 'EdDSA/ed25519', threshold: 1 })), 1);
    const [a, b] = [await generate(), await generate()];
    expect(a.publicKey).not.toEqual(b.publicKey);
    expect(a.chainCode).not.toEqual(b.chainCode);
  });

  it('refuses a threshold that is not below n, and ECDSA with fewer than 2t + 1 holders', async () => {
    const generate = (keyType: KeyType, size: number, threshold: number) =>
      clusterOf(size).run((party) => keygen(party, { keyType, threshold }));
    await expect(generate('EdDSA/ed25519', 3, 3)).rejects.toThrow('from 1 to n − 1');
    await expect(generate('EdDSA/ed25519', 3, 0)).rejects.toThrow('from 1 to n − 1');
    await expect(generate('ECDSA/secp256k1', 4, 2)).rejects.toThrow('enough participants');
  });
});

describe('A key share', () => {
  it.each(everyKeyType)('of %s comes back from its encoding', async (keyType) => {
    const { keys } = await keyedCluster(keyType, 3, 1);
    for (const share of keys.values()) expect(decodeKeyShare(encodeKeyShare(share))).toEqual(share);
  });

  it('is refused when cut off, too long, of another version, of an unknown key type, or somebody else’s', async () => {
    const encoded = encodeKeyShare(of((await keyedCluster('DH/secp256k1', 3, 1)).keys, 3));
    for (let length = 0; length < encoded.length; length++) expect(() => decodeKeyShare(encoded.subarray(0, length))).toThrow();
    expect(() => decodeKeyShare(new Uint8Array([...encoded, 0]))).toThrow();
    expect(() => decodeKeyShare(encoded.with(3, 2))).toThrow('version');
    expect(() => decodeKeyShare(encoded.with(7, 4))).toThrow('is a participant');
    expect(() => decodeKeyShare(encoded.with(43, 5))).toThrow('key type');
  });

  it('is made only where everything belongs together', async () => {
    const { keys } = await keyedCluster('ECDSA/secp256k1', 3, 1);
    const [one, two] = [of(keys, 1), of(keys, 2)];
    const shares = one.verificationShares;
    const swapped = new Map([...shares, [2, of(shares, 3)], [3, of(shares, 2)]] as const);
    expect(createKeyShare(one)).toEqual(one);
    expect(() => createKeyShare({ ...one, secret: two.secret })).toThrow('belongs to its verification share');
    expect(() => createKeyShare({ ...one, publicKey: of(shares, 1) })).toThrow('a sharing of the public key');
    expect(() => createKeyShare({ ...one, verificationShares: swapped })).toThrow('a sharing of the public key');
    expect(() => createKeyShare({ ...one, verificationShares: new Map([...shares].slice(0, 2)) })).toThrow('every participant has');
    expect(() => createKeyShare({ ...one, threshold: 2 })).toThrow('enough participants');
    expect(() => createKeyShare({ ...one, index: 4 })).toThrow('is a participant');
    expect(() => createKeyShare({ ...one, chainCode: new Uint8Array(31) })).toThrow('32 bytes');
  });
});

const oracles = [
  { name: 'secp256k1', keyType: 'ECDSA/secp256k1', frost: secp256k1_FROST },
  { name: 'ed25519', keyType: 'EdDSA/ed25519', frost: ed25519_FROST },
] as const;

describe.each(oracles)('Key generation together with noble’s, $name', ({ keyType, frost }) => {
  it('ends in one key: proofs, commitments and shares are understood both ways', () => {
    const group = groupOf(keyTypes[keyType].curve);
    const signers = { min: 2, max: 3 };
    const id = (i: number) => frost.Identifier.fromNumber(i);

    const f = randomPolynomial({ group, degree: 1 });
    const commitment = f.map((coefficient) => group.encodePoint(group.multiplyBase(coefficient)));
    const claim = (i: number, C0: Uint8Array) => ({ group, keyType, i, context: new Uint8Array(0), commitment: C0 });
    const proofOfKnowledge = provePossession(claim(1, commitment[0] ?? new Uint8Array(0)), f[0] ?? 0n);
    const ours = { identifier: id(1), commitment, proofOfKnowledge };

    const second = frost.DKG.round1(id(2), signers);
    const third = frost.DKG.round1(id(3), signers);
    for (const [i, theirs] of [[2, second.public] as const, [3, third.public] as const]) {
      const C0 = theirs.commitment[0] ?? new Uint8Array(0);
      expect(() => verifyPossession(claim(i, C0), group.decodePoint(C0), theirs.proofOfKnowledge)).not.toThrow();
      expect(() => verifyPossession(claim(1, C0), group.decodePoint(C0), theirs.proofOfKnowledge)).toThrow('does not hold');
    }
    const ofSecond = frost.DKG.round2(second.secret, [ours, third.public]);
    const ofThird = frost.DKG.round2(third.secret, [ours, second.public]);
    const ourShareFor = (i: number) => ({ identifier: id(1), signingShare: group.encodeScalar(evaluate(f, i, group.order)) });
    const received = [ofSecond, ofThird].map((shares) => group.decodeScalar(shares[id(1)]?.signingShare ?? new Uint8Array(0)));
    const ourSecret = received.reduce((sum, share) => sum + share, evaluate(f, 1, group.order)) % group.order;

    const key2 = frost.DKG.round3(second.secret, [ours, third.public], [ourShareFor(2), { ...ofThird[id(2)], identifier: id(3) } as never]);
    expect(key2.public.verifyingShares[id(1)]).toEqual(group.encodePoint(group.multiplyBase(ourSecret)));
    const shares = new Map([
      [1, ourSecret],
      [2, group.decodeScalar(key2.secret.signingShare)],
    ]);
    const x = interpolateAtZero(shares, group.order);
    expect(group.encodePoint(group.multiplyBase(x))).toEqual(key2.public.commitments[0]);
  });
});

describe.skipIf(!haveVectors)('Published key generations (ZcashFoundation/frost, vectors_dkg.json)', () => {
  it.each([
    { suite: 'ed25519', keyType: 'EdDSA/ed25519' },
    { suite: 'secp256k1', keyType: 'ECDSA/secp256k1' },
  ] as const)('$suite: commitments, proofs, shares and the key', ({ suite, keyType }) => {
    const { inputs } = readVector<DkgVector>(suite, 'vectors_dkg');
    const group = groupOf(keyTypes[keyType].curve);
    const participants: DkgParticipant[] = [inputs[1], inputs[2], inputs[3]];
    const polynomial = (participant: DkgParticipant) =>
      [participant.signing_key, participant.coefficient].map((scalar) => group.decodeScalar(bytes(scalar)));

    for (const participant of participants) {
      const { identifier: i, vss_commitments, proof_of_knowledge } = participant;
      expect(polynomial(participant).map((a) => group.encodePoint(group.multiplyBase(a)))).toEqual(vss_commitments.map(bytes));
      const commitment = bytes(vss_commitments[0] ?? '');
      const claim = { group, keyType, i, context: new Uint8Array(0), commitment };
      expect(() => verifyPossession(claim, group.decodePoint(commitment), bytes(proof_of_knowledge))).not.toThrow();

      const received = participants.map((from) => evaluate(polynomial(from), i, group.order));
      for (const [at, from] of participants.entries()) {
        const published = participant.signing_shares[from.identifier];
        if (published !== undefined) expect(group.encodeScalar(received[at] ?? 0n)).toEqual(bytes(published));
      }
      const secret = received.reduce((a, b) => (a + b) % group.order, 0n);
      expect(group.encodeScalar(secret)).toEqual(bytes(participant.signing_share));
      expect(group.encodePoint(group.multiplyBase(secret))).toEqual(bytes(participant.verifying_share));
    }
    const x = participants.reduce((sum, participant) => (sum + (polynomial(participant)[0] ?? 0n)) % group.order, 0n);
    expect(group.encodePoint(group.multiplyBase(x))).toEqual(bytes(inputs.verifying_key));
  });

  it('secp256k1-tr: proofs under even R, and the tweaked key of tapTweak', () => {
    const { inputs } = readVector<DkgVector>('secp256k1-tr', 'vectors_dkg');
    const group = groupOf('secp256k1');
    const participants: DkgParticipant[] = [inputs[1], inputs[2], inputs[3]];
    for (const { identifier: i, vss_commitments, proof_of_knowledge } of participants) {
      const commitment = bytes(vss_commitments[0] ?? '');
      const claim = { group, keyType: 'Schnorr/secp256k1' as const, i, context: new Uint8Array(0), commitment };
      const proof = concat(Uint8Array.of(0x02), bytes(proof_of_knowledge));
      expect(() => verifyPossession(claim, group.decodePoint(commitment), proof)).not.toThrow();
    }
    const internalKey = group.encodePoint(
      group.add(...participants.map(({ vss_commitments }) => group.decodePoint(bytes(vss_commitments[0] ?? '')))),
    );
    expect(tapTweak(internalKey, new Uint8Array(0)).outputKey).toEqual(bytes(inputs.verifying_key).subarray(1));
  });
});
