/** Attacks on re-dealing: nobody takes a new share, and the culprit is named; and shares of before a refresh. @module */

import { expect } from 'vitest';
import { concat } from '../../../src/base/bytes.ts';
import { Abort } from '../../../src/base/errors.ts';
import { groupOf } from '../../../src/crypto/groups/index.ts';
import { combine } from '../../../src/mpc/dh/combine.ts';
import { evaluate } from '../../../src/mpc/dh/evaluate.ts';
import { ciphersuiteOf } from '../../../src/mpc/frost/ciphersuite.ts';
import { encodePublic, type KeyShare } from '../../../src/mpc/keyShare.ts';
import { type Redealt, reshare } from '../../../src/mpc/reshare.ts';
import { type Cluster, honestRelay, of, type Relay } from '../memoryParty.ts';
import { type Keyed, keyedCluster, seededCluster, signEcdsa, signFrost } from '../signing.ts';
import type { Case, Message } from './cases.ts';
import {
  abortOf,
  boxAttacks,
  confirming,
  corrupt,
  expectCaught,
  flipBit,
  inRound,
  offCurve,
  oneMore,
  type RelayAttack,
  relayAttacks,
  replaying,
  shareAttacks,
  smallOrderPoints,
  splice,
  toEverybody,
  victim,
} from './tampering.ts';

const group = groupOf('secp256k1');
const keyType = 'ECDSA/secp256k1';
const threshold = 1;
const everybody = [1, 2, 3];
/** Everybody deals, so that each is attacked as dealer and as receiver. */
const dealers = everybody;
const infinity = new Uint8Array(33);

/** Where the parts of a deal begin: the header of the old sharing, chain code, public key, X_1 … X_3, C_1. */
const at = { keyType: 0, threshold: 4, count: 8, participants: 12, chainCode: 24, publicKey: 56, X1: 89, X2: 122, C1: 188 };
const changed = (offset: number, part: Uint8Array): Relay => toEverybody('reshare/deal', (e) => e.signed(splice(e.message, offset, part)));
const randomPoint = () => group.encodePoint(group.multiplyBase(group.randomScalar()));
const number = (value: number) => Uint8Array.of(0, 0, 0, value);

interface RedealingAttack extends RelayAttack {
  /** Who must not end with a share. */
  readonly mustFail?: readonly number[];
}

const dealt: readonly RedealingAttack[] = [
  ...relayAttacks('reshare/deal'),
  { attack: 'wrong value', name: 'of no known key type', relay: changed(at.keyType, number(9)) },
  { attack: 'wrong value', name: 'of another key type on the same curve', relay: changed(at.keyType, number(3)) },
  { attack: 'wrong value', name: 'from a sharing of another threshold', relay: changed(at.threshold, number(2)) },
  { attack: 'wrong value', name: 'from a sharing of threshold 0', relay: changed(at.threshold, number(0)) },
  { attack: 'wrong value', name: 'from a sharing of fewer participants', relay: changed(at.count, number(2)) },
  {
    attack: 'wrong value',
    name: 'from a sharing of four thousand million participants',
    relay: changed(at.count, new Uint8Array(4).fill(255)),
  },
  { attack: 'wrong value', name: 'from a sharing without the dealer', relay: changed(at.participants + 4, number(4)) },
  { attack: 'wrong value', name: 'with another chain code', relay: changed(at.chainCode, new Uint8Array(32)) },
  { attack: 'wrong value', name: 'from a sharing of another key', relay: changed(at.publicKey, randomPoint()) },
  { attack: 'wrong value', name: 'under another verification share of one’s own', relay: changed(at.X2, randomPoint()) },
  { attack: 'wrong value', name: 'under another verification share of the victim', relay: changed(at.X1, randomPoint()) },
  { attack: 'point at infinity', name: 'commitment at infinity', relay: changed(at.C1, infinity) },
  { attack: 'point off the curve', name: 'commitment off the curve', relay: changed(at.C1, offCurve) },
  { attack: 'wrong value', name: 'commitment to another polynomial', relay: changed(at.C1, randomPoint()) },
  {
    attack: 'wrong length',
    name: 'one commitment too many',
    relay: toEverybody('reshare/deal', (e) => e.signed(concat(e.message, randomPoint()))),
  },
  {
    attack: 'wrong length',
    name: 'one commitment too few',
    relay: toEverybody('reshare/deal', (e) => e.signed(e.message.subarray(0, at.C1))),
  },
  {
    attack: 'another signer’s',
    name: 'another dealer’s, signed as one’s own',
    relay: toEverybody('reshare/deal', (e) => e.signed(e.sent(e.to === 3 ? 1 : 3, corrupt).toAll.subarray(64))),
  },
  {
    attack: 'wrong value',
    name: 'a commitment that cancels the others’',
    relay: toEverybody('reshare/deal', (e) => {
      const others = [1, 3].map((i) => group.decodePoint(e.sent(i, corrupt).toAll.subarray(64 + at.C1)));
      return e.signed(splice(e.message, at.C1, group.encodePoint(group.negate(group.add(...others)))));
    }),
  },
  {
    attack: 'split view',
    name: 'different ones for different participants, both good',
    relay: inRound('reshare/deal', (e) => {
      const share = group.randomScalar();
      const X = group.decodePoint(e.message.subarray(at.X2, at.C1 - 33));
      const C1 = group.add(group.multiplyBase(share), group.negate(X)); // f(1) = share, as f(0) = x_2
      const other = e.signed(splice(e.message, at.C1, group.encodePoint(C1)));
      return { ...other, toMe: e.sealed(() => group.encodeScalar(share)).toMe };
    }),
  },
  ...boxAttacks('reshare/deal'),
  ...shareAttacks('reshare/deal'),
];

// In the last round the others have everybody's confirmation already: only the victim can refuse.
const confirmed: readonly RedealingAttack[] = [
  ...relayAttacks('reshare/confirm'),
  {
    attack: 'split view' as const,
    name: 'echo that claims a deal nobody signed',
    relay: inRound('reshare/confirm', (e) => e.signed(flipBit(e.message, 2 * 96))),
  },
  {
    attack: 'wrong value' as const,
    name: 'another sharing',
    relay: inRound('reshare/confirm', (e) => e.signed(flipBit(e.message, 3 * 96))),
  },
].map((one) => ({ ...one, mustFail: [victim] }));

function redeal({ cluster, keys }: Pick<Keyed, 'cluster' | 'keys'>, relay: Relay, sessionId?: Uint8Array) {
  return cluster.settle<Redealt>(
    (party) => {
      const old = of(keys, party.index);
      return reshare(party, { keyType: old.keyType, dealers, threshold, participants: everybody, old, secret: old.secret.slice() });
    },
    { relay, ...(sessionId && { sessionId }) },
  );
}

const casesOf = (message: Message, attacks: readonly RedealingAttack[]): Case[] =>
  attacks.map(({ attack, name, relay, mustFail = everybody }) => ({
    message,
    attack,
    name,
    async run() {
      const conniving = message === 'reshare/confirm' ? relay : confirming('reshare/confirm', relay);
      expectCaught(await redeal(await keyedCluster(keyType, 3, 1), conniving), { mustFail, culprits: [corrupt] });
    },
  }));

export const redealing: readonly Case[] = [
  ...casesOf('reshare/deal', dealt),
  ...casesOf('reshare/confirm', confirmed),

  ...(['reshare/deal', 'reshare/confirm'] as const).map((round) => ({
    message: round,
    attack: 'replayed' as const,
    name: 'from an earlier session',
    async run() {
      const keyed = await keyedCluster(keyType, 3, 1);
      const relay = replaying(round);
      expect([...(await redeal(keyed, relay)).values()].every(({ status }) => status === 'fulfilled')).toBe(true);
      expectCaught(await redeal(keyed, relay), { mustFail: [victim], culprits: [corrupt] });
    },
  })),
  {
    message: 'reshare/deal',
    attack: 'repeated id',
    name: 'a session started twice under one name: the old deal does not pass for the new one',
    async run() {
      const keyed = await keyedCluster(keyType, 3, 1);
      const relay = replaying('reshare/deal');
      await redeal(keyed, relay, new Uint8Array(32));
      const again = await redeal(keyed, relay, new Uint8Array(32));
      expect([...again.values()].every(({ status }) => status === 'rejected')).toBe(true);
    },
  },
  {
    message: 'reshare/deal',
    attack: 'stale share',
    name: 'a dealer whose share is of an earlier sharing, from a restored backup',
    async run() {
      const keyed = await keyedCluster(keyType, 3, 1);
      const fresh = sharesOf(await redeal(keyed, honestRelay));
      const stale = new Map([...fresh, [corrupt, of(keyed.keys, corrupt)] as const]);
      const results = await redeal({ ...keyed, keys: stale }, honestRelay);
      for (const honest of [1, 3]) {
        const result = of(results, honest);
        expect(result.status === 'rejected' && result.reason.culprits).toEqual([corrupt]);
      }
    },
  },
  {
    message: 'reshare/deal',
    attack: 'split view',
    name: 'to one that only receives, and knows nothing: dealers that deal from different sharings give it nothing',
    async run() {
      const keyed = await keyedCluster(keyType, 3, 1);
      const fresh = sharesOf(await redeal(keyed, honestRelay));
      const shareOf = (i: number) => of(i === corrupt ? keyed.keys : fresh, i);
      const results = await receiving(keyed.cluster, shareOf);
      expect(of(results, 1)).toMatchObject({ status: 'rejected', reason: { culprits: [], message: /different sharings/ } });
      expect(of(results, 3)).toMatchObject({ status: 'rejected', reason: { culprits: [corrupt] } });
    },
  },
  {
    message: 'reshare/deal',
    attack: 'wrong value',
    name: 'to one that only receives: it names the dealers that agree on what is no sharing',
    async run() {
      const { cluster, keys } = await keyedCluster(keyType, 3, 1);
      const point = randomPoint();
      const lie: Relay = (e) => (e.round === 'reshare/deal' && e.from !== 1 ? e.signed(splice(e.message, at.publicKey, point)) : e);
      const results = await receiving(cluster, (i) => of(keys, i), lie);
      expect(of(results, 1)).toMatchObject({ status: 'rejected', reason: { culprits: [2, 3] } });
    },
  },
  {
    message: 'reshare/deal',
    attack: 'wrong sender',
    name: 'from one that only receives',
    async run() {
      const { cluster, keys } = await keyedCluster(keyType, 3, 1);
      const relay: Relay = (e) => (e.round === 'reshare/deal' && e.from === 1 ? e.signed(encodePublic(of(keys, 1))) : e);
      const results = await receiving(cluster, (i) => of(keys, i), relay);
      for (const i of [2, 3]) expect(of(results, i)).toMatchObject({ status: 'rejected', reason: { culprits: [1] } });
    },
  },
  ...smallOrderPoints.map(({ name, point }) => ({
    message: 'reshare/deal' as const,
    attack: 'point of small order' as const,
    name: `C_1 is ${name}`,
    async run() {
      const relay = toEverybody('reshare/deal', (e) => e.signed(concat(e.message.subarray(0, -32), point)));
      const results = await redeal(await keyedCluster('EdDSA/ed25519', 3, 1), confirming('reshare/confirm', relay));
      expectCaught(results, { mustFail: everybody, culprits: [corrupt] });
    },
  })),
  ...(['EdDSA/ed25519', 'ECDSA/stark', 'Schnorr/secp256k1', 'DH/secp256k1'] as const).map((type) => ({
    message: 'reshare/deal' as const,
    attack: 'wrong value' as const,
    name: `a share off the polynomial, ${type}`,
    async run() {
      const relay = confirming(
        'reshare/confirm',
        inRound('reshare/deal', (e) => e.sealed((share) => oneMore(type, share))),
      );
      expectCaught(await redeal(await keyedCluster(type, 3, 1), relay), { mustFail: everybody, culprits: [corrupt] });
    },
  })),
  ...staleCases(),
];

/** After a refresh by everybody: what one signs with its old share is of no use with what the others sign with their new ones. */
function staleCases(): Case[] {
  const set = [1, 2, 3];
  async function refreshed<K extends Keyed>(keyed: K): Promise<K> {
    const fresh = sharesOf(await redeal(keyed, honestRelay));
    for (const i of set) expect(of(fresh, i).secret).not.toEqual(of(keyed.keys, i).secret);
    return { ...keyed, keys: new Map([...fresh, [corrupt, of(keyed.keys, corrupt)] as const]) };
  }
  const name = 'of before a refresh, with those of after';
  return [
    {
      message: 'ecdsa/share',
      attack: 'stale share',
      name,
      async run() {
        const mixed = await refreshed(await seededCluster('secp256k1', 3, 1));
        const request = { digest: new Uint8Array(32).fill(7) };
        await expect(signEcdsa(mixed, set, request)).rejects.toBeInstanceOf(Abort);
      },
    },
    ...(['EdDSA/ed25519', 'Schnorr/secp256k1'] as const).map((type) => ({
      message: 'frost/share' as const,
      attack: 'stale share' as const,
      name: `${name}, ${type}`,
      async run() {
        const mixed = await refreshed(await keyedCluster(type, 3, 1));
        const payload = { bytes: new Uint8Array(32).fill(7), taprootMerkleRoot: new Uint8Array(0) };
        expect(abortOf(() => signFrost(ciphersuiteOf(type), mixed, set, payload)).culprits).toEqual([corrupt]);
      },
    })),
    {
      message: 'dh/partial',
      attack: 'stale share',
      name,
      async run() {
        const { keys, publicKey } = await refreshed(await keyedCluster('DH/secp256k1', 3, 1));
        const input = { domain: Uint8Array.of(1), seed: Uint8Array.of(2) };
        const { verificationShares } = of(keys, 1);
        const partials = new Map(
          set.map((i) => [i, evaluate({ ...input, secret: of(keys, i).secret, verificationShare: of(verificationShares, i) })]),
        );
        expect(abortOf(() => combine({ ...input, threshold, publicKey, verificationShares, partials })).culprits).toEqual([corrupt]);
      },
    },
  ];
}

/** Participant 1 has lost what it had; 2 and 3 deal. */
function receiving(cluster: Cluster, shareOf: (i: number) => KeyShare, relay: Relay = honestRelay) {
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
