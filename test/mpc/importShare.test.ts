import { describe, expect, it } from 'vitest';
import { type KeyType, keyTypes } from '../../src/base/keyTypes.ts';
import { groupOf } from '../../src/crypto/groups/index.ts';
import { type HandedIn, importShare } from '../../src/mpc/importShare.ts';
import { encodePublic, type KeyShare } from '../../src/mpc/keyShare.ts';
import { protocols } from '../../src/mpc/protocols.ts';
import { setUpSeeds } from '../../src/mpc/prss.ts';
import { evaluate, interpolateAtZero, randomPolynomial, subsetsOf } from '../../src/mpc/shamir.ts';
import { clusterOf, of, type RunOptions } from './memoryParty.ts';
import { signEcdsa, signFrost } from './signing.ts';

const everyKeyType = Object.keys(keyTypes) as KeyType[];
const clusters = [
  { size: 3, threshold: 1 },
  { size: 4, threshold: 1 },
  { size: 5, threshold: 2 },
];
const splits = clusters.flatMap((cluster) => Array.from({ length: cluster.size - 1 }, (_, i) => ({ ...cluster, minSigners: i + 2 })));

interface Dealt {
  readonly secret: bigint;
  /** By number, from 1. */
  readonly shares: readonly bigint[];
  readonly publicShares: readonly Uint8Array[];
}

/** What the owner of a key does at home. */
function dealt(keyType: KeyType, { size, minSigners }: { size: number; minSigners: number }): Dealt {
  const group = groupOf(keyTypes[keyType].curve);
  const f = randomPolynomial({ group, degree: minSigners - 1 });
  const shares = Array.from({ length: size }, (_, at) => evaluate(f, at + 1, group.order));
  const publicShares = shares.map((share) => group.encodePoint(group.multiplyBase(share)));
  return { secret: evaluate(f, 0, group.order), shares, publicShares };
}

/** Participants are numbered the other way round by the owner. */
const reversed = (size: number) => new Map(Array.from({ length: size }, (_, at) => [at + 1, size - at] as const));

function handedTo(keyType: KeyType, { shares, publicShares }: Dealt, number: number): HandedIn {
  const group = groupOf(keyTypes[keyType].curve);
  return { secret: group.encodeScalar(shares[number - 1] ?? 0n), publicShares };
}

interface Importing {
  readonly keyType: KeyType;
  readonly size: number;
  readonly threshold: number;
  readonly minSigners: number;
  readonly owner: Dealt;
  readonly handIn?: (number: number) => HandedIn;
}

function importing({ keyType, size, threshold, minSigners, owner, handIn }: Importing, options: RunOptions = {}) {
  const cluster = clusterOf(size);
  const numbers = reversed(size);
  const settled = cluster.settle((party) => {
    const number = of(numbers, party.index);
    return importShare(party, {
      keyType,
      threshold,
      minSigners,
      numbers,
      handedIn: (handIn ?? ((i) => handedTo(keyType, owner, i)))(number),
    });
  }, options);
  return { cluster, settled };
}

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

/** Why each participant ended without a share. */
async function reasons(wanted: Importing, options?: RunOptions): Promise<string[]> {
  const results = [...(await importing(wanted, options).settled).values()];
  return results.map((result) => (result.status === 'rejected' ? (result.reason as Error).message : 'it holds a share'));
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

describe('what is no sharing is refused', () => {
  const keyType = 'ECDSA/secp256k1';
  const group = groupOf('secp256k1');
  const setting = { keyType, size: 3, threshold: 1, minSigners: 2 } as const;
  const owner = dealt(keyType, setting);
  const other = dealt(keyType, setting);
  const own = (number: number) => handedTo(keyType, owner, number);
  const refused = (handIn: (number: number) => HandedIn, more: object = {}) => reasons({ ...setting, owner, handIn, ...more });

  it('shares that were swapped', async () => {
    const swapped = await refused((number) => handedTo(keyType, owner, number === 1 ? 2 : number === 2 ? 1 : 3));
    expect(swapped.slice(1).sort()).toEqual(
      [1, 2].map((number) => `the share of signer number ${number} does not belong to its public share`),
    );
  });

  it('one share of another key', async () => {
    const said = await refused((number) => ({
      ...own(number),
      secret: number === 2 ? handedTo(keyType, other, 2).secret : own(number).secret,
    }));
    expect(said[1]).toBe('the share of signer number 2 does not belong to its public share');
    expect(said).not.toContain('it holds a share');
  });

  it('one signer with a whole other sharing', async () => {
    const said = await refused((number) => (number === 2 ? handedTo(keyType, other, 2) : own(number)));
    for (const reason of said)
      expect(reason).toMatch(/the public shares that went to participant \d are others than those that went to \d/);
  });

  it('public shares of a higher degree than minSigners says', async () => {
    const higher = dealt(keyType, { size: 3, minSigners: 3 });
    expect(await refused((number) => handedTo(keyType, higher, number))).toEqual(
      Array(3).fill('not any 2 of the public shares make the same key'),
    );
  });

  it('fewer public shares than signers, or more', async () => {
    const cut = (number: number) => ({ ...own(number), publicShares: owner.publicShares.slice(0, 2) });
    expect((await refused(cut))[0]).toBe('there are 2 public shares for 3 signers');
    const more = (number: number) => ({ ...own(number), publicShares: [...owner.publicShares, group.encodePoint(group.base)] });
    expect((await refused(more))[0]).toBe('there are 4 public shares for 3 signers');
  });

  it.each([1, 0, 4])('minSigners %i', async (minSigners) => {
    expect((await refused(own, { minSigners }))[0]).toBe('minSigners is from 2 to 3, the number of signers');
  });

  it('a public share that is no point', async () => {
    const publicShares = owner.publicShares.with(2, Uint8Array.of(2, ...new Uint8Array(31), 5));
    expect((await refused((number) => ({ ...own(number), publicShares })))[0]).toBe('public share number 3 is no point of secp256k1');
  });

  it('a share beyond the order', async () => {
    const said = await refused((number) => ({ ...own(number), secret: number === 1 ? new Uint8Array(32).fill(255) : own(number).secret }));
    expect(said[2]).toBe('a share is a scalar below the order of its curve');
    expect(said).not.toContain('it holds a share');
  });
});

describe('a corrupt participant', () => {
  const keyType = 'ECDSA/secp256k1';
  const setting = { keyType, size: 3, threshold: 1, minSigners: 3 } as const;

  it.each([
    ['import/commit', 0],
    ['import/commit', 32],
    ['import/reveal', 0],
    ['import/reveal', 3 * 96],
  ] as const)('that alters its message of %s at %i stops it, and nobody holds a share', async (round, at) => {
    const said = await reasons(
      { ...setting, owner: dealt(keyType, setting) },
      {
        relay: (envelope) =>
          envelope.round === round && envelope.from === 2
            ? envelope.signed(envelope.message.with(at, (envelope.message[at] ?? 0) ^ 1))
            : envelope,
      },
    );
    expect([said[0], said[2]]).not.toContain('it holds a share');
  });

  it('that shows two chain code commitments is named by the echo', async () => {
    const said = await reasons(
      { ...setting, owner: dealt(keyType, setting) },
      {
        relay: (envelope) =>
          envelope.round === 'import/commit' && envelope.from === 2 && envelope.to === 3
            ? envelope.signed(envelope.message.with(40, (envelope.message[40] ?? 0) ^ 1))
            : envelope,
      },
    );
    expect([said[0], said[2]]).toEqual(Array(2).fill('import/commit: participant 2 sent different messages to different participants'));
  });
});
