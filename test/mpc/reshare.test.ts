import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type KeyType, keyTypes } from '../../src/base/keyTypes.ts';
import { groupOf } from '../../src/crypto/groups/index.ts';
import { createKeyShare, encodePublic, type KeyShare, type Sharing } from '../../src/mpc/keyShare.ts';
import { protocols } from '../../src/mpc/protocols.ts';
import { setUpSeeds } from '../../src/mpc/prss.ts';
import { areConfirmed, type Prepared, type Redealt, reshare } from '../../src/mpc/reshare.ts';
import { evaluate, interpolateAtZero, randomPolynomial, subsetsOf } from '../../src/mpc/shamir.ts';
import { clusterOf, of, type RunOptions } from './memoryParty.ts';
import { type Keyed, keyedCluster, signEcdsa, signFrost } from './signing.ts';

const everyKeyType = Object.keys(keyTypes) as KeyType[];
const sizes = [
  { size: 3, threshold: 1 },
  { size: 4, threshold: 1 },
  { size: 5, threshold: 2 },
  { size: 7, threshold: 2 },
];
const cases = everyKeyType.flatMap((keyType) => sizes.map((cluster) => ({ keyType, ...cluster })));

interface Wanted {
  readonly dealers: readonly number[];
  readonly threshold: number;
  readonly participants: readonly number[];
  /** Who does not know the old sharing, be it that it has lost it. */
  readonly ignorant?: readonly number[];
}

/** Re-deals a key; whoever has a share knows the sharing. */
async function redeal(
  { cluster, keys }: Pick<Keyed, 'cluster' | 'keys'>,
  { dealers, threshold, participants, ignorant = [] }: Wanted,
  options: RunOptions = {},
): Promise<ReadonlyMap<number, Redealt>> {
  const { keyType } = of(keys, dealers[0] ?? 0);
  const everybody = [...new Set([...dealers, ...participants])].sort((a, b) => a - b);
  return cluster.run(
    (party) => {
      const share = ignorant.includes(party.index) ? undefined : keys.get(party.index);
      const deals = dealers.includes(party.index);
      return reshare(party, {
        keyType,
        dealers,
        threshold,
        participants,
        ...(share && { old: share }),
        ...(deals && share && { secret: share.secret.slice() }),
      });
    },
    { participants: everybody, ...options },
  );
}

/** The same cluster with the shares that it has now. */
function keyedAnew(keyed: Keyed, threshold: number, redealt: ReadonlyMap<number, Redealt>): Keyed {
  const shares = [...redealt].flatMap(([i, { share }]) => (share ? [[i, share] as const] : []));
  return { ...keyed, threshold, keys: new Map<number, KeyShare>(shares) };
}

function secretOf(keyType: KeyType, shares: readonly KeyShare[]): Uint8Array {
  const group = groupOf(keyTypes[keyType].curve);
  const x = interpolateAtZero(new Map(shares.map(({ index, secret }) => [index, group.decodeScalar(secret)])), group.order);
  return group.encodePoint(group.multiplyBase(x));
}

describe('A refresh', () => {
  it.each(cases)('of $keyType with $size/$threshold: every t + 1 new shares are the same key', async ({ keyType, size, threshold }) => {
    const keyed = await keyedCluster(keyType, size, threshold);
    const { participants } = keyed.cluster;
    const dealers = participants.slice(-threshold - 1);
    const { keys } = keyedAnew(keyed, threshold, await redeal(keyed, { dealers, threshold, participants }));
    expect([...keys.keys()]).toEqual(participants);
    expect(new Set([...keys.values()].map((share) => encodePublic(share).join())).size).toBe(1);
    expect(of(keys, 1).chainCode).toEqual(of(keyed.keys, 1).chainCode);
    for (const set of subsetsOf(participants, threshold + 1)) {
      expect(
        secretOf(
          keyType,
          set.map((i) => of(keys, i)),
        ),
      ).toEqual(keyed.publicKey);
    }
  });

  it.each(cases)('of $keyType with $size/$threshold: old and new shares do not combine', async ({ keyType, size, threshold }) => {
    const keyed = await keyedCluster(keyType, size, threshold);
    const { participants } = keyed.cluster;
    const { keys } = keyedAnew(
      keyed,
      threshold,
      await redeal(keyed, { dealers: participants.slice(0, threshold + 1), threshold, participants }),
    );
    for (const set of subsetsOf(participants, threshold + 1)) {
      for (let olds = 1; olds <= threshold; olds++) {
        const mixed = set.map((i, at) => of(at < olds ? keyed.keys : keys, i));
        expect(secretOf(keyType, mixed)).not.toEqual(keyed.publicKey);
      }
    }
    for (const [i, share] of keys) expect(() => createKeyShare({ ...share, secret: of(keyed.keys, i).secret })).toThrow('belongs to');
  });

  it.each([
    { size: 3, threshold: 1 },
    { size: 4, threshold: 1 },
    { size: 5, threshold: 2 },
  ])('with $size/$threshold works with every set of dealers', async ({ size, threshold }) => {
    const keyed = await keyedCluster('EdDSA/ed25519', size, threshold);
    const { participants } = keyed.cluster;
    for (let count = threshold + 1; count <= size; count++) {
      for (const dealers of subsetsOf(participants, count)) {
        const redealt = await redeal(keyed, { dealers, threshold, participants });
        expect(of(redealt, 1).sharing.publicKey).toEqual(keyed.publicKey);
      }
    }
  });

  it('gives other shares each time, and keeps the key over many', async () => {
    let keyed = await keyedCluster('ECDSA/secp256k1', 3, 1);
    const seen = new Set<string>();
    for (let i = 0; i < 10; i++) {
      keyed = keyedAnew(keyed, 1, await redeal(keyed, { dealers: [1, 3], threshold: 1, participants: [1, 2, 3] }));
      seen.add(of(keyed.keys, 2).secret.join());
    }
    expect(seen.size).toBe(10);
    expect(secretOf('ECDSA/secp256k1', [of(keyed.keys, 1), of(keyed.keys, 2)])).toEqual(keyed.publicKey);
  });

  it('overwrites the share that a dealer gave it', async () => {
    const { cluster, keys } = await keyedCluster('DH/secp256k1', 3, 1);
    const secrets = new Map([...keys].map(([i, { secret }]) => [i, secret.slice()]));
    await cluster.run((party) =>
      reshare(party, {
        keyType: 'DH/secp256k1',
        dealers: [1, 2, 3],
        threshold: 1,
        participants: [1, 2, 3],
        old: of(keys, party.index),
        secret: of(secrets, party.index),
      }),
    );
    for (const secret of secrets.values()) expect(secret).toEqual(new Uint8Array(32));
  });
});

describe('A key that is re-dealt to another set', () => {
  it.each(everyKeyType)('%s goes from 3/1 to 4/1, to 5/2, and back, and signs at each step', async (keyType) => {
    let keyed: Keyed = { ...(await keyedCluster(keyType, 3, 1)), cluster: clusterOf(5) };
    const path = [
      { threshold: 1, participants: [1, 2, 3, 4] },
      { threshold: 2, participants: [1, 2, 3, 4, 5] },
      { threshold: 1, participants: [1, 2, 3, 4] },
      { threshold: 1, participants: [1, 2, 3] },
    ];
    for (const { threshold, participants } of path) {
      const dealers = [...keyed.keys.keys()].slice(0, keyed.threshold + 1);
      keyed = keyedAnew(keyed, threshold, await redeal(keyed, { dealers, threshold, participants }));
      expect([...keyed.keys.keys()]).toEqual(participants);
      const shares = [...keyed.keys.values()];
      expect(secretOf(keyType, shares.slice(-threshold - 1))).toEqual(keyed.publicKey);
      await expectSigns(keyed);
    }
  });

  it('a participant that has lost its share, and knows nothing of the key, has one again', async () => {
    const keyed = await keyedCluster('Schnorr/secp256k1', 3, 1);
    const redealt = await redeal(keyed, { dealers: [1, 3], threshold: 1, participants: [1, 2, 3], ignorant: [2] });
    const { keys } = keyedAnew(keyed, 1, redealt);
    expect(secretOf('Schnorr/secp256k1', [of(keys, 1), of(keys, 2)])).toEqual(keyed.publicKey);
  });

  it('old and new participants may have nobody in common; who only deals is left with nothing', async () => {
    const keyed = { ...(await keyedCluster('ECDSA/secp256k1', 3, 1)), cluster: clusterOf(6) };
    const redealt = await redeal(keyed, { dealers: [1, 2], threshold: 1, participants: [4, 5, 6] });
    expect(of(redealt, 1).share).toBeUndefined();
    const { keys } = keyedAnew(keyed, 1, redealt);
    expect(secretOf('ECDSA/secp256k1', [of(keys, 5), of(keys, 6)])).toEqual(keyed.publicKey);
  });

  it.each(everyKeyType)('%s that somebody else has split 3 of 3 comes to be held by 3/1', async (keyType) => {
    const group = groupOf(keyTypes[keyType].curve);
    const f = randomPolynomial({ group, degree: 2 });
    const point = (x: number) => group.encodePoint(group.multiplyBase(evaluate(f, x, group.order)));
    const participants = [1, 2, 3];
    const old: Sharing = {
      keyType,
      threshold: 2,
      participants,
      publicKey: point(0),
      verificationShares: new Map(participants.map((i) => [i, point(i)])),
      chainCode: new Uint8Array(randomBytes(32)),
    };
    const redealt = await clusterOf(3).run((party) =>
      reshare(party, {
        keyType,
        dealers: participants,
        threshold: 1,
        participants,
        old,
        secret: group.encodeScalar(evaluate(f, party.index, group.order)),
      }),
    );
    const shares = [...redealt.values()].flatMap(({ share }) => (share ? [share] : []));
    expect(secretOf(keyType, shares.slice(0, 2))).toEqual(old.publicKey);
  });

  it('refuses too few dealers, too few participants, and a session of others', async () => {
    const keyed = await keyedCluster('ECDSA/secp256k1', 3, 1);
    const all = [1, 2, 3];
    await expect(redeal(keyed, { dealers: [1], threshold: 1, participants: all })).rejects.toThrow('from 1 to n − 1');
    await expect(redeal(keyed, { dealers: [1, 2], threshold: 2, participants: all })).rejects.toThrow('enough participants');
    await expect(redeal(keyed, { dealers: [1, 2], threshold: 1, participants: [1, 2] })).rejects.toThrow('enough participants');
    const larger = { ...keyed, cluster: clusterOf(4) };
    const amongFour = redeal(larger, { dealers: [1, 2], threshold: 1, participants: all }, { participants: [1, 2, 3, 4] });
    await expect(amongFour).rejects.toThrow('nobody else');
  });

  it('refuses as many dealers as the old threshold', async () => {
    const keyed = await keyedCluster('EdDSA/ed25519', 5, 2);
    await expect(redeal(keyed, { dealers: [1, 2], threshold: 1, participants: [1, 2, 3] })).rejects.toThrow('more dealers than');
  });
});

describe('What is prepared', () => {
  it('is kept before anybody can have everybody’s confirmation, and is proven by those of all', async () => {
    const { cluster, keys } = await keyedCluster('EdDSA/ed25519', 3, 1);
    const sessionId = new Uint8Array(randomBytes(32));
    const kept = new Map<number, Prepared>();
    const redealt = await cluster.run(
      (party) =>
        reshare(party, {
          keyType: 'EdDSA/ed25519',
          dealers: [1, 2],
          threshold: 1,
          participants: [1, 2, 3],
          old: of(keys, party.index),
          ...(party.index < 3 && { secret: of(keys, party.index).secret.slice() }),
          prepare: (prepared) => kept.set(party.index, prepared),
        }),
      {
        sessionId,
        relay: (envelope) => {
          if (envelope.round === 'reshare/confirm') expect(kept.has(envelope.from)).toBe(true);
          return envelope;
        },
      },
    );
    const { confirmations } = of(redealt, 3);
    const at = (session: Uint8Array) => cluster.identity(1).inSession(session);
    for (const prepared of kept.values()) {
      expect(areConfirmed(at(sessionId), prepared, confirmations)).toBe(true);
      expect(areConfirmed(at(sessionId), prepared, new Map([...confirmations].slice(1)))).toBe(false);
      expect(areConfirmed(at(sessionId), prepared, new Map([...confirmations, [2, of(confirmations, 3)]]))).toBe(false);
      expect(areConfirmed(at(new Uint8Array(32)), prepared, confirmations)).toBe(false);
      expect(areConfirmed(at(sessionId), { ...prepared, confirmation: prepared.confirmation.with(0, 1) }, confirmations)).toBe(false);
    }
  });
});

/** A key of each family is used in its own way; what comes out is verified by the combining functions themselves. */
async function expectSigns(keyed: Keyed): Promise<void> {
  const { keyType } = of(keyed.keys, 1);
  const protocol = protocols[keyType];
  const digest = new Uint8Array(randomBytes(32)).fill(0, 0, 1);
  const set = [...keyed.keys.keys()];
  if (protocol.family === 'ecdsa') {
    const seeds = await keyed.cluster.run((party) => setUpSeeds(party, { threshold: keyed.threshold }), { participants: set });
    await signEcdsa({ ...keyed, curve: protocol.curve, seeds }, set.slice(0, 2 * keyed.threshold + 1), { digest });
  } else if (protocol.family === 'frost') {
    const payload = { bytes: digest, taprootMerkleRoot: new Uint8Array(0) };
    signFrost(protocol.suite, keyed, set.slice(-keyed.threshold - 1), payload);
  }
}
