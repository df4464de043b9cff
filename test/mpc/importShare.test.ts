import { describe, expect, it } from 'vitest';
import { type KeyType, keyTypes } from '../../src/base/keyTypes.ts';
import { groupOf } from '../../src/crypto/groups/index.ts';
import { encodePublic, type KeyShare } from '../../src/mpc/keyShare.ts';
import { protocols } from '../../src/mpc/protocols.ts';
import { setUpSeeds } from '../../src/mpc/prss.ts';
import { interpolateAtZero, subsetsOf } from '../../src/mpc/shamir.ts';
import { type Dealt, dealt, type Importing, importing } from './importing.ts';
import { of } from './memoryParty.ts';
import { signEcdsa, signFrost } from './signing.ts';

const everyKeyType = Object.keys(keyTypes) as KeyType[];
const clusters = [
  { size: 3, threshold: 1 },
  { size: 4, threshold: 1 },
  { size: 5, threshold: 2 },
];
const splits = clusters.flatMap((cluster) => Array.from({ length: cluster.size - 1 }, (_, i) => ({ ...cluster, minSigners: i + 2 })));

async function imported(wanted: Omit<Importing, 'owner'> & { owner?: Dealt }) {
  const owner = wanted.owner ?? dealt(wanted.keyType, wanted);
  const { cluster, settled } = importing({ ...wanted, owner });
  const keys = new Map<number, KeyShare>();
  for (const [index, result] of await settled) {
    if (result.status === 'rejected') throw result.reason;
    keys.set(index, result.value);
  }
  return { owner, keyed: { cluster, threshold: wanted.threshold, keys, publicKey: of(keys, 1).publicKey } };
}

describe('an imported key', () => {
  it.each(
    splits.flatMap((split) =>
      everyKeyType.filter((type) => type !== 'ECDSA/stark' || split.size === 3).map((keyType) => ({ keyType, ...split })),
    ),
  )('$keyType, split for any $minSigners of $size, is held by any $threshold + 1', async ({ keyType, size, threshold, minSigners }) => {
    const { owner, keyed } = await imported({ keyType, size, threshold, minSigners });
    const group = groupOf(keyTypes[keyType].curve);
    expect(keyed.publicKey).toEqual(group.encodePoint(group.multiplyBase(owner.secret)));
    const everyone = [...keyed.keys.keys()];
    for (const set of subsetsOf(everyone, threshold + 1)) {
      const shares = new Map(set.map((i) => [i, group.decodeScalar(of(keyed.keys, i).secret)]));
      expect(interpolateAtZero(shares, group.order)).toBe(owner.secret);
    }
    expect(new Set([...keyed.keys.values()].map((share) => String(encodePublic(share)))).size).toBe(1);
    const old = new Set(owner.shares);
    for (const { secret } of keyed.keys.values()) expect(old.has(group.decodeScalar(secret))).toBe(false);
  });

  it.each(['ECDSA/secp256k1', 'ECDSA/stark'] as const)('of %s signs', async (keyType) => {
    const { keyed } = await imported({ keyType, size: 3, threshold: 1, minSigners: 3 });
    const protocol = protocols[keyType];
    if (protocol.family !== 'ecdsa') throw new Error('it is');
    const seeds = await keyed.cluster.run((party) => setUpSeeds(party, { threshold: 1 }));
    const digest = new Uint8Array(32).fill(3);
    expect(await signEcdsa({ ...keyed, curve: protocol.curve, seeds }, [1, 2, 3], { digest })).toBeDefined();
  });

  it.each(['EdDSA/ed25519', 'Schnorr/secp256k1'] as const)('of %s signs, by any two', async (keyType) => {
    const { keyed } = await imported({ keyType, size: 3, threshold: 1, minSigners: 3 });
    const protocol = protocols[keyType];
    if (protocol.family !== 'frost') throw new Error('it is');
    const payload = { bytes: new Uint8Array(32).fill(3), taprootMerkleRoot: new Uint8Array() };
    for (const set of subsetsOf([1, 2, 3], 2)) expect(signFrost(protocol.suite, keyed, set, payload)).toBeDefined();
  });

  it('has another chain code each time: none comes with it', async () => {
    const owner = dealt('EdDSA/ed25519', { size: 3, minSigners: 2 });
    const made = await Promise.all(
      [1, 2].map(async () => (await imported({ keyType: 'EdDSA/ed25519', size: 3, threshold: 1, minSigners: 2, owner })).keyed),
    );
    expect(new Set(made.map(({ keys }) => String(of(keys, 1).chainCode))).size).toBe(2);
    expect(new Set(made.map(({ publicKey }) => String(publicKey))).size).toBe(1);
  });
});
