import { describe, expect, it } from 'vitest';
import { concat } from '../../../src/base/bytes.ts';
import { keyTypes } from '../../../src/base/keyTypes.ts';
import { groupOf } from '../../../src/crypto/groups/index.ts';
import { encodePublic, type KeyShare } from '../../../src/mpc/keyShare.ts';
import { type Redealt, reshare } from '../../../src/mpc/reshare.ts';
import { type Cluster, of, type Relay } from '../memoryParty.ts';
import { type Keyed, keyedCluster } from '../signing.ts';
import { confirming, corrupt, expectCaught, flipBit, inRound, relayAttacks, replaying, splice, toEverybody, victim } from './tampering.ts';

const group = groupOf('secp256k1');
const keyType = 'ECDSA/secp256k1';
const threshold = 1;
const everybody = [1, 2, 3];
/** Everybody deals, so that each is attacked as dealer and as receiver. */
const dealers = everybody;
const infinity = new Uint8Array(33);
/** x = 5 has no y on secp256k1. */
const offCurve = Uint8Array.of(0x02, ...new Uint8Array(31), 5);
const orderAsScalar = new Uint8Array(Buffer.from(group.order.toString(16), 'hex'));

/** Where the parts of a deal begin: the header of the old sharing, chain code, public key, X_1 … X_3, C_1. */
const at = { keyType: 0, threshold: 4, count: 8, participants: 12, chainCode: 24, publicKey: 56, X1: 89, X2: 122, C1: 188 };
const changed = (offset: number, part: Uint8Array): Relay => toEverybody('reshare/deal', (e) => e.signed(splice(e.message, offset, part)));
const randomPoint = () => group.encodePoint(group.multiplyBase(group.randomScalar()));
const number = (value: number) => Uint8Array.of(0, 0, 0, value);

interface Attack {
  readonly name: string;
  readonly relay: Relay;
  /** Who must not end with a share. */
  readonly mustFail?: readonly number[];
}

const attacks: Attack[] = [
  ...relayAttacks('reshare/deal'),
  { name: 'deal: of no known key type', relay: changed(at.keyType, number(9)) },
  { name: 'deal: of another key type on the same curve', relay: changed(at.keyType, number(3)) },
  { name: 'deal: from a sharing of another threshold', relay: changed(at.threshold, number(2)) },
  { name: 'deal: from a sharing of threshold 0', relay: changed(at.threshold, number(0)) },
  { name: 'deal: from a sharing of fewer participants', relay: changed(at.count, number(2)) },
  { name: 'deal: from a sharing of four thousand million participants', relay: changed(at.count, new Uint8Array(4).fill(255)) },
  { name: 'deal: from a sharing without the dealer', relay: changed(at.participants + 4, number(4)) },
  { name: 'deal: with another chain code', relay: changed(at.chainCode, new Uint8Array(32)) },
  { name: 'deal: from a sharing of another key', relay: changed(at.publicKey, randomPoint()) },
  { name: 'deal: under another verification share of one’s own', relay: changed(at.X2, randomPoint()) },
  { name: 'deal: under another verification share of the victim', relay: changed(at.X1, randomPoint()) },
  { name: 'deal: commitment at infinity', relay: changed(at.C1, infinity) },
  { name: 'deal: commitment off the curve', relay: changed(at.C1, offCurve) },
  { name: 'deal: commitment to another polynomial', relay: changed(at.C1, randomPoint()) },
  { name: 'deal: one commitment too many', relay: toEverybody('reshare/deal', (e) => e.signed(concat(e.message, randomPoint()))) },
  { name: 'deal: one commitment too few', relay: toEverybody('reshare/deal', (e) => e.signed(e.message.subarray(0, at.C1))) },
  {
    name: 'deal: another dealer’s, signed as one’s own',
    relay: toEverybody('reshare/deal', (e) => e.signed(e.sent(e.to === 3 ? 1 : 3, corrupt).toAll.subarray(64))),
  },
  {
    name: 'deal: a commitment that cancels the others’',
    relay: toEverybody('reshare/deal', (e) => {
      const others = [1, 3].map((i) => group.decodePoint(e.sent(i, corrupt).toAll.subarray(64 + at.C1)));
      return e.signed(splice(e.message, at.C1, group.encodePoint(group.negate(group.add(...others)))));
    }),
  },
  {
    name: 'deal: different ones for different participants, both good',
    relay: inRound('reshare/deal', (e) => {
      const share = group.randomScalar();
      const X = group.decodePoint(e.message.subarray(at.X2, at.C1 - 33));
      const C1 = group.add(group.multiplyBase(share), group.negate(X)); // f(1) = share, as f(0) = x_2
      const other = e.signed(splice(e.message, at.C1, group.encodePoint(C1)));
      return { ...other, toMe: e.sealed(() => group.encodeScalar(share)).toMe };
    }),
  },
  { name: 'share: box missing', relay: inRound('reshare/deal', (e) => ({ ...e, toMe: new Uint8Array(0) })) },
  { name: 'share: box with a flipped signature', relay: inRound('reshare/deal', (e) => ({ ...e, toMe: flipBit(e.toMe, 0) })) },
  { name: 'share: box with a flipped ciphertext', relay: inRound('reshare/deal', (e) => ({ ...e, toMe: flipBit(e.toMe, 64) })) },
  { name: 'share: box with a flipped ephemeral key', relay: inRound('reshare/deal', (e) => ({ ...e, toMe: flipBit(e.toMe, -1) })) },
  { name: 'share: box cut off', relay: inRound('reshare/deal', (e) => ({ ...e, toMe: e.toMe.subarray(0, -1) })) },
  { name: 'share: the box for another', relay: inRound('reshare/deal', (e) => ({ ...e, toMe: e.sent(corrupt, 3).toMe })) },
  { name: 'share: the box of another', relay: inRound('reshare/deal', (e) => ({ ...e, toMe: e.sent(3, victim).toMe })) },
  { name: 'share: off the polynomial', relay: inRound('reshare/deal', (e) => e.sealed((share) => flipBit(share, 31))) },
  { name: 'share: zero', relay: inRound('reshare/deal', (e) => e.sealed(() => new Uint8Array(32))) },
  { name: 'share: not below the order', relay: inRound('reshare/deal', (e) => e.sealed(() => orderAsScalar)) },
  { name: 'share: of 31 bytes', relay: inRound('reshare/deal', (e) => e.sealed((share) => share.subarray(1))) },
  { name: 'share: of 33 bytes', relay: inRound('reshare/deal', (e) => e.sealed((share) => concat(share, Uint8Array.of(0)))) },
  { name: 'share: empty', relay: inRound('reshare/deal', (e) => e.sealed(() => new Uint8Array(0))) },

  // In the last round the others have everybody's confirmation already: only the victim can refuse.
  ...relayAttacks('reshare/confirm').map((attack) => ({ ...attack, mustFail: [victim] })),
  {
    name: 'confirm: echo that claims a deal nobody signed',
    relay: inRound('reshare/confirm', (e) => e.signed(flipBit(e.message, 2 * 96))),
    mustFail: [victim],
  },
  {
    name: 'confirm: another sharing',
    relay: inRound('reshare/confirm', (e) => e.signed(flipBit(e.message, 3 * 96))),
    mustFail: [victim],
  },
];

function redeal({ cluster, keys }: Pick<Keyed, 'cluster' | 'keys'>, relay: Relay, sessionId?: Uint8Array) {
  return cluster.settle<Redealt>(
    (party) => {
      const old = of(keys, party.index);
      return reshare(party, { keyType: old.keyType, dealers, threshold, participants: everybody, old, secret: old.secret.slice() });
    },
    { relay, ...(sessionId && { sessionId }) },
  );
}

describe('Attacks on re-dealing: nobody takes a new share, and the culprit is named', () => {
  for (const { name, relay, mustFail = everybody } of attacks) {
    it(name, async () => {
      const conniving = name.includes('confirm') ? relay : confirming('reshare/confirm', relay);
      expectCaught(await redeal(await keyedCluster(keyType, 3, 1), conniving), { mustFail, culprits: [corrupt] });
    });
  }

  it.each(['reshare/deal', 'reshare/confirm'])('%s: replayed from an earlier session', async (round) => {
    const keyed = await keyedCluster(keyType, 3, 1);
    const relay = replaying(round);
    expect([...(await redeal(keyed, relay)).values()].every(({ status }) => status === 'fulfilled')).toBe(true);
    expectCaught(await redeal(keyed, relay), { mustFail: [victim], culprits: [corrupt] });
  });

  it('a session started twice under one name: the old deal does not pass for the new one', async () => {
    const keyed = await keyedCluster(keyType, 3, 1);
    const relay = replaying('reshare/deal');
    await redeal(keyed, relay, new Uint8Array(32));
    const again = await redeal(keyed, relay, new Uint8Array(32));
    expect([...again.values()].every(({ status }) => status === 'rejected')).toBe(true);
  });

  it('a dealer whose share is of an earlier sharing (a restored backup) is named', async () => {
    const keyed = await keyedCluster(keyType, 3, 1);
    const fresh = sharesOf(await redeal(keyed, (e) => e));
    const stale = new Map([...fresh, [corrupt, of(keyed.keys, corrupt)] as const]);
    const results = await redeal({ ...keyed, keys: stale }, (e) => e);
    for (const honest of [1, 3]) {
      const result = of(results, honest);
      expect(result.status === 'rejected' && result.reason.culprits).toEqual([corrupt]);
    }
  });

  it('one that only receives, and knows nothing: dealers that deal from different sharings give it nothing', async () => {
    const keyed = await keyedCluster(keyType, 3, 1);
    const fresh = sharesOf(await redeal(keyed, (e) => e));
    const shareOf = (i: number) => of(i === corrupt ? keyed.keys : fresh, i);
    const results = await receiving(keyed.cluster, shareOf);
    expect(of(results, 1)).toMatchObject({ status: 'rejected', reason: { culprits: [], message: /different sharings/ } });
    expect(of(results, 3)).toMatchObject({ status: 'rejected', reason: { culprits: [corrupt] } });
  });

  it('one that only receives names the dealers that agree on what is no sharing', async () => {
    const { cluster, keys } = await keyedCluster(keyType, 3, 1);
    const lie: Relay = (e) => (e.round === 'reshare/deal' && e.from !== 1 ? e.signed(splice(e.message, at.publicKey, randomPointOf1)) : e);
    const randomPointOf1 = randomPoint();
    const results = await receiving(cluster, (i) => of(keys, i), lie);
    expect(of(results, 1)).toMatchObject({ status: 'rejected', reason: { culprits: [2, 3] } });
  });

  it('one that only receives may not deal', async () => {
    const { cluster, keys } = await keyedCluster(keyType, 3, 1);
    const relay: Relay = (e) => (e.round === 'reshare/deal' && e.from === 1 ? e.signed(encodePublic(of(keys, 1))) : e);
    const results = await receiving(cluster, (i) => of(keys, i), relay);
    for (const i of [2, 3]) expect(of(results, i)).toMatchObject({ status: 'rejected', reason: { culprits: [1] } });
  });

  it.each(['EdDSA/ed25519', 'ECDSA/stark', 'Schnorr/secp256k1', 'DH/secp256k1'] as const)(
    '%s: a share off the polynomial',
    async (type) => {
      const { encodeScalar, decodeScalar, order } = groupOf(keyTypes[type].curve);
      const oneMore = (share: Uint8Array) => encodeScalar((decodeScalar(share) + 1n) % order);
      const relay = confirming(
        'reshare/confirm',
        inRound('reshare/deal', (e) => e.sealed(oneMore)),
      );
      expectCaught(await redeal(await keyedCluster(type, 3, 1), relay), { mustFail: everybody, culprits: [corrupt] });
    },
  );
});

/** Participant 1 has lost what it had; 2 and 3 deal. */
function receiving(cluster: Cluster, shareOf: (i: number) => KeyShare, relay: Relay = (e) => e) {
  return cluster.settle<Redealt>(
    (party) =>
      reshare(party, {
        keyType,
        dealers: [2, 3],
        threshold,
        participants: everybody,
        ...(party.index !== 1 && { old: shareOf(party.index), secret: shareOf(party.index).secret.slice() }),
      }),
    { relay },
  );
}

function sharesOf(results: ReadonlyMap<number, PromiseSettledResult<Redealt>>): ReadonlyMap<number, KeyShare> {
  return new Map(
    [...results].map(([i, result]) => {
      if (result.status === 'rejected' || result.value.share === undefined) throw new Error(`participant ${i} has no share`);
      return [i, result.value.share];
    }),
  );
}
