/** Attacks on presigning and signing ECDSA: no presignature for those who notice, no signature. @module */

import { expect } from 'vitest';
import { concat, toHex } from '../../../src/base/bytes.ts';
import { groupOf } from '../../../src/crypto/groups/index.ts';
import { bind } from '../../../src/mpc/ecdsa/binding.ts';
import { combine } from '../../../src/mpc/ecdsa/combine.ts';
import { type Presignature, presign } from '../../../src/mpc/ecdsa/presign.ts';
import { OneUse } from '../../../src/mpc/oneUse.ts';
import { honestRelay, of, type Relay } from '../memoryParty.ts';
import { childOf, combineEcdsa, type EcdsaRequest, ecdsaShare, presignBatch, type Seeded, seededCluster } from '../signing.ts';
import type { Attack, Case } from './cases.ts';
import {
  abortOf,
  corrupt,
  expectCaught,
  flipBit,
  inRound,
  once,
  orderAsScalar,
  type RelayAttack,
  relayAttacks,
  replaying,
  splice,
  toEverybody,
  victim,
} from './tampering.ts';

const group = groupOf('secp256k1');
const threshold = 1;
const count = 3;
const set = [1, 2, 3];
const seededOnce = once(() => seededCluster('secp256k1', 4, threshold));
const echoLength = 3 * 96;
const randomPoint = () => group.encodePoint(group.multiplyBase(group.randomScalar()));
const randomFullPoint = () => group.encodeFullPoint(group.multiplyBase(group.randomScalar()));
/** Of a point in full, as R_i are sent. */
const fullBytes = group.fullPointBytes;
const randomScalar = () => group.encodeScalar(group.randomScalar());

interface PresignAttack extends RelayAttack {
  readonly message: 'presign/nonce' | 'presign/R';
  readonly mustFail: readonly number[];
  readonly culprits: readonly number[];
}

const named = (attack: Omit<PresignAttack, 'mustFail' | 'culprits'>): PresignAttack => ({
  ...attack,
  mustFail: [victim],
  culprits: [corrupt],
});

/** Replaces R_i of number `number` of the batch, signed anew by the corrupt participant. */
const signedR = (number: number, R: Uint8Array): Relay =>
  inRound('presign/R', (e) => e.signed(splice(e.message, echoLength + fullBytes * number, R)));

const presignAttacks: readonly PresignAttack[] = [
  ...relayAttacks('presign/nonce').map((one) => named({ ...one, message: 'presign/nonce' })),
  ...relayAttacks('presign/R').map((one) => named({ ...one, message: 'presign/R' })),
  {
    message: 'presign/nonce',
    attack: 'split view',
    name: 'different ones for different participants',
    relay: inRound('presign/nonce', (e) => e.signed(flipBit(e.message, 0))),
    mustFail: [1, 3],
    culprits: [corrupt],
  },
  named({
    message: 'presign/nonce',
    attack: 'wrong length',
    name: 'of 31 bytes',
    relay: inRound('presign/nonce', (e) => e.signed(e.message.subarray(1))),
  }),
  named({
    message: 'presign/R',
    attack: 'altered relay',
    name: 'an R_i altered by the relay',
    relay: inRound('presign/R', (e) => ({ ...e, toAll: splice(e.toAll, 64 + echoLength, randomFullPoint()) })),
  }),
  named({
    message: 'presign/R',
    attack: 'altered relay',
    name: 'the R_i of two presignatures exchanged by the relay',
    relay: inRound('presign/R', (e) => {
      const [first, second] = [
        e.toAll.subarray(64 + echoLength, 64 + echoLength + fullBytes),
        e.toAll.subarray(64 + echoLength + fullBytes, 64 + echoLength + 2 * fullBytes),
      ];
      return { ...e, toAll: splice(e.toAll, 64 + echoLength, concat(second, first)) };
    }),
  }),
  named({ message: 'presign/R', attack: 'point at infinity', name: 'an R_i at infinity', relay: signedR(1, new Uint8Array(fullBytes)) }),
  named({
    message: 'presign/R',
    attack: 'point off the curve',
    name: 'an R_i off the curve',
    relay: signedR(1, flipBit(randomFullPoint(), 64)),
  }),
  named({
    message: 'presign/R',
    attack: 'point off the curve',
    name: 'an R_i compressed in its first byte',
    relay: signedR(1, Uint8Array.of(0x02)),
  }),
  named({
    message: 'presign/R',
    attack: 'point off the curve',
    name: 'an R_i in the hybrid form',
    relay: inRound('presign/R', (e) => {
      const y = e.message[echoLength + 64] ?? 0;
      return e.signed(splice(e.message, echoLength, Uint8Array.of(y % 2 === 0 ? 0x06 : 0x07)));
    }),
  }),
  named({
    message: 'presign/R',
    attack: 'wrong length',
    name: 'one too few',
    relay: inRound('presign/R', (e) => e.signed(e.message.subarray(0, -fullBytes))),
  }),
  named({
    message: 'presign/R',
    attack: 'wrong length',
    name: 'one too many',
    relay: inRound('presign/R', (e) => e.signed(concat(e.message, randomFullPoint()))),
  }),
  named({
    message: 'presign/R',
    attack: 'split view',
    name: 'with an echo that nobody signed',
    relay: inRound('presign/R', (e) => e.signed(flipBit(e.message, 2 * 96))),
  }),
  {
    message: 'presign/R',
    attack: 'wrong value',
    name: 'an R_i altered by its signer, towards one',
    relay: signedR(2, randomFullPoint()),
    mustFail: [victim],
    culprits: [],
  },
  {
    message: 'presign/R',
    attack: 'wrong value',
    name: 'an R_i altered by its signer, towards everybody',
    relay: toEverybody('presign/R', (e) => e.signed(splice(e.message, echoLength, group.encodeFullPoint(group.base)))),
    mustFail: [1, 3],
    culprits: [],
  },
  {
    message: 'presign/R',
    attack: 'wrong value',
    name: 'an R_i negated by its signer',
    relay: toEverybody('presign/R', (e) => {
      const R = group.decodeFullPoint(e.message.subarray(echoLength, echoLength + fullBytes));
      return e.signed(splice(e.message, echoLength, group.encodeFullPoint(group.negate(R))));
    }),
    mustFail: [1, 3],
    culprits: [],
  },
  {
    message: 'presign/R',
    attack: 'another signer’s',
    name: 'the R_i of another participant, signed as one’s own',
    relay: inRound('presign/R', (e) => e.signed(splice(e.message, echoLength, e.sent(3, victim).toAll.subarray(64 + echoLength)))),
    mustFail: [victim],
    culprits: [],
  },
];

function presigning({ cluster, curve, seeds }: Seeded, options: { relay: Relay; sessionId?: Uint8Array }) {
  const protocol = (party: Parameters<typeof presign>[0]) => presign(party, { curve, threshold, seeds: of(seeds, party.index), count });
  return cluster.settle(protocol, { ...options, participants: set });
}

/** No presignature for those who notice. */
const presignCases: readonly Case[] = [
  ...presignAttacks.map(({ message, attack, name, relay, mustFail, culprits }) => ({
    message,
    attack,
    name,
    run: async () => expectCaught(await presigning(await seededOnce(), { relay }), { mustFail, culprits }),
  })),
  ...(['presign/nonce', 'presign/R'] as const).flatMap((message): Case[] => [
    {
      message,
      attack: 'replayed',
      name: 'from an earlier session',
      async run() {
        const relay = replaying(message);
        const first = await presigning(await seededOnce(), { relay });
        expect([...first.values()].every(({ status }) => status === 'fulfilled')).toBe(true);
        expectCaught(await presigning(await seededOnce(), { relay }), { mustFail: [victim], culprits: [corrupt] });
      },
    },
    {
      message,
      attack: 'repeated id',
      name: 'replayed into a session of the same name, as after a restart',
      async run() {
        const relay = replaying(message);
        const sessionId = new Uint8Array(32);
        await presigning(await seededOnce(), { relay, sessionId });
        const results = await presigning(await seededOnce(), { relay, sessionId });
        expect(results.get(victim)?.status).toBe('rejected');
      },
    },
  ]),
  {
    message: 'presign/R',
    attack: 'wrong value',
    name: 'by a signer whose seeds are of another set-up',
    async run() {
      const [seeded, other] = [await seededOnce(), await seededCluster('secp256k1', 4, threshold)];
      const seeds = new Map([...seeded.seeds, [corrupt, of(other.seeds, corrupt)]]);
      expectCaught(await presigning({ ...seeded, seeds }, { relay: honestRelay }), { mustFail: [1, 3], culprits: [] });
    },
  },
  {
    message: 'presign/nonce',
    attack: 'repeated id',
    name: 'the same session name, seeds and others’ messages: another batch, whose R has nothing in common with the first',
    async run() {
      const sessionId = new Uint8Array(32);
      const made = async () => {
        const [first] = (await presigning(await seededOnce(), { relay: honestRelay, sessionId })).values();
        if (first?.status !== 'fulfilled') throw new Error('nobody fails here');
        return first.value;
      };
      const all = [...(await made()), ...(await made())];
      expect(new Set(all.map(({ batch }) => toHex(batch))).size).toBe(2);
      expect(new Set(all.map(({ R }) => toHex(R))).size).toBe(2 * count);
    },
  },
];

/** What signers 1, 2, 3 are asked, and what the coordinator makes of their shares. */
interface Signing {
  readonly seeded: Seeded;
  /** By participant: its part of the one presignature. */
  readonly presignatures: ReadonlyMap<number, Presignature>;
  readonly digest: Uint8Array;
}

async function prepared(): Promise<Signing> {
  const seeded = await seededOnce();
  const batch = await presignBatch(seeded, set);
  return {
    seeded,
    presignatures: new Map(set.map((i) => [i, of(new Map(of(batch, i).entries()), 0)])),
    digest: new Uint8Array(32).fill(0x31),
  };
}

type Shares = Map<number, Uint8Array>;

function honestShares({ seeded, presignatures, digest }: Signing): Shares {
  return new Map(set.map((i) => [i, ecdsaShare(seeded, i, of(presignatures, i), { digest })]));
}

function altered(change: (share: Uint8Array) => Uint8Array): (signing: Signing) => Shares {
  return (signing) => {
    const shares = honestShares(signing);
    return shares.set(corrupt, change(of(shares, corrupt)));
  };
}

/** The corrupt participant's share is made from another view of what is signed. */
function splitView(view: (signing: Signing) => Partial<Presignature> & { digest?: Uint8Array; publicKey?: Uint8Array }) {
  return (signing: Signing): Shares => {
    const { seeded, presignatures, digest } = signing;
    return new Map(
      set.map((i) => {
        if (i !== corrupt) return [i, ecdsaShare(seeded, i, of(presignatures, i), { digest })];
        const { digest: otherDigest = digest, publicKey, ...presignature } = view(signing);
        const keys = new Map(seeded.keys);
        if (publicKey) keys.set(i, { ...of(keys, i), publicKey });
        return [i, ecdsaShare({ ...seeded, keys }, i, { ...of(presignatures, i), ...presignature }, { digest: otherDigest })];
      }),
    );
  };
}

const shareAttacks: { attack: Attack; name: string; shares: (signing: Signing) => Shares; culprits?: readonly number[] }[] = [
  { attack: 'bit flipped', name: 'of num', shares: altered((share) => flipBit(share, 31)) },
  { attack: 'bit flipped', name: 'of w', shares: altered((share) => flipBit(share, 63)) },
  { attack: 'wrong value', name: 'another num', shares: altered((share) => splice(share, 0, randomScalar())) },
  { attack: 'wrong value', name: 'another w', shares: altered((share) => splice(share, 32, randomScalar())) },
  { attack: 'wrong value', name: 'num and w exchanged', shares: altered((share) => concat(share.subarray(32), share.subarray(0, 32))) },
  { attack: 'wrong value', name: 'num = 0', shares: altered((share) => concat(new Uint8Array(32), share.subarray(32))) },
  { attack: 'wrong value', name: 'w = 0', shares: altered((share) => concat(share.subarray(0, 32), new Uint8Array(32))) },
  {
    attack: 'wrong sender',
    name: 'the share of another participant',
    shares: (signing) => {
      const shares = honestShares(signing);
      return shares.set(corrupt, of(shares, 3));
    },
  },
  { attack: 'wrong value', name: 'all zero', shares: () => new Map(set.map((i) => [i, new Uint8Array(64)])) },
  {
    attack: 'wrong value',
    name: 'w cancelled to zero',
    shares: (signing) => {
      const shares = honestShares(signing);
      for (const [i, share] of shares) shares.set(i, splice(share, 32, new Uint8Array(32)));
      return shares;
    },
  },
  {
    attack: 'wrong value',
    name: 's cancelled to zero',
    shares: (signing) => {
      const shares = honestShares(signing);
      for (const [i, share] of shares) shares.set(i, splice(share, 0, new Uint8Array(32)));
      return shares;
    },
  },
  { attack: 'scalar out of range', name: 'num ≥ n', shares: altered((share) => splice(share, 0, orderAsScalar)), culprits: [corrupt] },
  { attack: 'scalar out of range', name: 'w ≥ n', shares: altered((share) => splice(share, 32, orderAsScalar)), culprits: [corrupt] },
  { attack: 'wrong length', name: 'of 63 bytes', shares: altered((share) => share.subarray(1)), culprits: [corrupt] },
  { attack: 'wrong length', name: 'of 65 bytes', shares: altered((share) => concat(share, Uint8Array.of(0))), culprits: [corrupt] },
  { attack: 'wrong length', name: 'empty', shares: altered(() => new Uint8Array(0)), culprits: [corrupt] },
  {
    attack: 'dropped',
    name: '',
    shares: (signing) => {
      const shares = honestShares(signing);
      shares.delete(corrupt);
      return shares;
    },
    culprits: [corrupt],
  },
  { attack: 'split view', name: 'of the digest', shares: splitView(() => ({ digest: new Uint8Array(32).fill(0x32) })) },
  {
    attack: 'split view',
    name: 'of the key: a child’s',
    shares: splitView(({ seeded }) => ({ publicKey: childOf(seeded, [0]).publicKey })),
  },
  { attack: 'split view', name: 'of the key', shares: splitView(() => ({ publicKey: randomPoint() })) },
  { attack: 'split view', name: 'of R', shares: splitView(() => ({ R: randomPoint() })) },
  { attack: 'split view', name: 'of the signing set', shares: splitView(() => ({ participants: [1, 2, 4] })) },
  { attack: 'split view', name: 'of the batch', shares: splitView(() => ({ batch: new Uint8Array(32) })) },
  { attack: 'split view', name: 'of the number', shares: splitView(() => ({ number: 1 })) },
];

/** No signature. */
const signCases: readonly Case[] = [
  ...shareAttacks.map(({ attack, name, shares, culprits = [] }) => ({
    message: 'ecdsa/share' as const,
    attack,
    name,
    async run() {
      const signing = await prepared();
      const given = shares(signing);
      const abort = abortOf(() => combineEcdsa(signing.seeded, of(signing.presignatures, 1), given, { digest: signing.digest }));
      expect(abort.culprits).toEqual(culprits);
    },
  })),
  ...Object.entries<(presignature: Presignature) => Presignature>({
    'another R': (presignature) => ({ ...presignature, R: randomPoint() }),
    'R at infinity': (presignature) => ({ ...presignature, R: new Uint8Array(33) }),
    'R negated': (presignature) => ({ ...presignature, R: flipBit(presignature.R, 0) }),
    'another batch': (presignature) => ({ ...presignature, batch: flipBit(presignature.batch, 0) }),
    'another number': (presignature) => ({ ...presignature, number: 1 }),
  }).map(([name, change]) => ({
    message: 'ecdsa/share' as const,
    attack: 'split view' as const,
    name: `a coordinator that combines with ${name}`,
    async run() {
      const signing = await prepared();
      const shares = honestShares(signing);
      abortOf(() => combineEcdsa(signing.seeded, change(of(signing.presignatures, 1)), shares, { digest: signing.digest }));
    },
  })),
  {
    message: 'ecdsa/share',
    attack: 'replayed',
    name: 'of another presignature, for the same digest',
    async run() {
      const [earlier, signing] = [await prepared(), await prepared()];
      const shares = honestShares(signing).set(corrupt, of(honestShares(earlier), corrupt));
      abortOf(() => combineEcdsa(signing.seeded, of(signing.presignatures, 1), shares, { digest: signing.digest }));
    },
  },
  {
    message: 'ecdsa/share',
    attack: 'duplicated',
    name: 'under every participant’s number',
    async run() {
      const signing = await prepared();
      const share = of(honestShares(signing), victim);
      const shares = new Map(set.map((i) => [i, share]));
      abortOf(() => combineEcdsa(signing.seeded, of(signing.presignatures, 1), shares, { digest: signing.digest }));
    },
  },
  {
    message: 'ecdsa/share',
    attack: 'reordered',
    name: 'two exchanged: no signature; in another order: the same signature',
    async run() {
      const signing = await prepared();
      const shares = honestShares(signing);
      const { digest } = signing;
      const made = (given: Shares) => combineEcdsa(signing.seeded, of(signing.presignatures, 1), given, { digest });
      expect(made(new Map([...shares].toReversed()))).toEqual(made(shares));
      abortOf(() => made(new Map([...shares, [2, of(shares, 3)] as const, [3, of(shares, 2)] as const])));
    },
  },
  {
    message: 'ecdsa/share',
    attack: 'dropped',
    name: 'any two of three say nothing: with any third share that is not the third’s there is no signature',
    async run() {
      const signing = await prepared();
      const shares = honestShares(signing);
      const { digest } = signing;
      for (const missing of set) {
        for (const third of [
          new Uint8Array(64),
          concat(randomScalar(), randomScalar()),
          ...set.filter((i) => i !== missing).map((i) => of(shares, i)),
        ]) {
          const given = new Map([...shares, [missing, third] as const]);
          abortOf(() => combineEcdsa(signing.seeded, of(signing.presignatures, 1), given, { digest }));
        }
      }
    },
  },
  {
    message: 'ecdsa/share',
    attack: 'another key’s',
    name: 'a coordinator that combines for another digest or key, a child’s included',
    async run() {
      const signing = await prepared();
      const { seeded, digest } = signing;
      const shares = honestShares(signing);
      const presignature = of(signing.presignatures, 1);
      abortOf(() => combineEcdsa(seeded, presignature, shares, { digest: flipBit(digest, 0) }));
      for (const publicKey of [randomPoint(), childOf(seeded, [0]).publicKey]) {
        abortOf(() => combineEcdsa({ ...seeded, publicKey }, presignature, shares, { digest }));
      }
    },
  },

  {
    message: 'ecdsa/share',
    attack: 'wrong value',
    name: 'an R′ that a signer makes up changes nothing: the signature is that of the shares, or there is none',
    async run() {
      const { seeded, presignatures, digest } = await prepared();
      const shares = new Map(set.map((i) => [i, ecdsaShare(seeded, i, of(presignatures, i), { digest })]));
      const { batch, number, participants, R } = of(presignatures, 1);
      const use = { curve: 'secp256k1', threshold, publicKey: seeded.publicKey, digest, batch, number, participants, R } as const;
      const honest = combine({ ...use, shares });
      const lies = [new Uint8Array(0), new Uint8Array(33), randomPoint(), R, flipBit(bind(use).rerandomised, 0)];
      for (const rerandomised of lies) expect(combine({ ...use, shares, rerandomised })).toEqual(honest);
      const wrong = new Map([...shares, [corrupt, flipBit(of(shares, corrupt), 31)] as const]);
      for (const rerandomised of lies) abortOf(() => combine({ ...use, shares: wrong, rerandomised }));
    },
  },

  {
    message: 'ecdsa/question',
    attack: 'used again',
    name: 'a presignature used again, for the same digest or another, gives nothing',
    async run() {
      const { seeded, presignatures, digest } = await prepared();
      ecdsaShare(seeded, 1, of(presignatures, 1), { digest });
      expect(abortOf(() => ecdsaShare(seeded, 1, of(presignatures, 1), { digest })).message).toContain('used before');
      expect(abortOf(() => ecdsaShare(seeded, 1, of(presignatures, 1), { digest: flipBit(digest, 0) })).message).toContain('used before');
    },
  },

  {
    message: 'ecdsa/question',
    attack: 'used again',
    name: 'a presignature wiped gives nothing',
    async run() {
      const { seeded, presignatures, digest } = await prepared();
      of(presignatures, 1).secrets.wipe();
      expect(abortOf(() => ecdsaShare(seeded, 1, of(presignatures, 1), { digest })).message).toContain('used before');
    },
  },

  {
    message: 'ecdsa/question',
    attack: 'another key’s',
    name: 'a presignature of one curve does not sign on another, and is used up by the attempt',
    async run() {
      const { seeded, presignatures, digest } = await prepared();
      expect(() => ecdsaShare({ ...seeded, curve: 'stark' }, 1, of(presignatures, 1), { digest })).toThrow('on its own curve');
      abortOf(() => ecdsaShare(seeded, 1, of(presignatures, 1), { digest }));
    },
  },

  {
    message: 'ecdsa/share',
    attack: 'split view',
    name: 'shares of two signing sets do not mix: {1, 2, 3} and {1, 2, 4} sign two digests with nobody’s help',
    async run() {
      const seeded = await seededOnce();
      const digest = new Uint8Array(32).fill(0x33);
      const shareOf = async (participants: readonly number[], i: number) => {
        const batch = await presignBatch(seeded, participants);
        const [presignature] = of(batch, i);
        if (presignature === undefined) throw new Error('a batch of one holds one');
        return { presignature, share: ecdsaShare(seeded, i, presignature, { digest }) };
      };
      const [one, two, other] = [await shareOf([1, 2, 3], 1), await shareOf([1, 2, 3], 2), await shareOf([1, 2, 4], 4)];
      const shares = new Map([
        [1, one.share],
        [2, two.share],
        [3, other.share],
      ]);
      abortOf(() => combineEcdsa(seeded, one.presignature, shares, { digest }));
    },
  },

  {
    message: 'ecdsa/share',
    attack: 'split view',
    name: 'shares of two views of the digest are noise in every combination, not a signature on either',
    async run() {
      const { seeded, presignatures, digest } = await prepared();
      const other = flipBit(digest, 5);
      const view = (i: number) => (i === 1 ? digest : other);
      const shares = new Map(set.map((i) => [i, ecdsaShare(seeded, i, of(presignatures, i), { digest: view(i) })]));
      for (const candidate of [digest, other]) abortOf(() => combineEcdsa(seeded, of(presignatures, 1), shares, { digest: candidate }));
    },
  },

  {
    message: 'ecdsa/share',
    attack: 'split view',
    name: 'whatever the binding covers changes both masks and the nonce: another binding gives an unrelated share',
    async run() {
      const { seeded, presignatures, digest } = await prepared();
      const presignature = of(presignatures, 1);
      const secrets = presignature.secrets.spend((bytes) => bytes.slice());
      const share = (change: Partial<Presignature>, request: EcdsaRequest = { digest }) =>
        ecdsaShare(seeded, 1, { ...presignature, secrets: new OneUse('copied', secrets.slice()), ...change }, request);
      const honest = share({});
      expect(share({})).toEqual(honest);
      for (const other of [
        share({ number: 1 }),
        share({ batch: flipBit(presignature.batch, 0) }),
        share({ participants: [1, 2, 4] }),
        share({ R: randomPoint() }),
        share({}, { digest: flipBit(digest, 0) }),
      ]) {
        expect(other.subarray(0, 32)).not.toEqual(honest.subarray(0, 32));
        expect(other.subarray(32)).not.toEqual(honest.subarray(32));
      }
    },
  },

  {
    message: 'ecdsa/share',
    attack: 'wrong value',
    name: 'num_i and w_i are masked: they are not the bare products, which would give the share away',
    async run() {
      const { seeded, presignatures, digest } = await prepared();
      const presignature = of(presignatures, 1);
      const [phi = 0n, u = 0n] = presignature.secrets.spend((bytes) => [bytes.subarray(0, 32), bytes.subarray(32)].map(group.decodeScalar));
      const secrets = concat(group.encodeScalar(phi), group.encodeScalar(u));
      const { secret, publicKey } = of(seeded.keys, 1);
      const { h, r, d } = bind({ ...presignature, publicKey, digest });
      const share = ecdsaShare(seeded, 1, { ...presignature, secrets: new OneUse('copied', secrets) }, { digest });
      const bare = (phi * ((h + r * group.decodeScalar(secret)) % group.order)) % group.order;
      expect(group.decodeScalar(share.subarray(0, 32))).not.toBe(bare);
      expect(group.decodeScalar(share.subarray(32))).not.toBe((u + d * phi) % group.order);
    },
  },

  {
    message: 'ecdsa/share',
    attack: 'wrong value',
    name: 'R is re-randomised: the signature shows neither the R of the presignature nor, for another digest, the same R',
    async run() {
      const { seeded, presignatures, digest } = await prepared();
      const presignature = of(presignatures, 1);
      const { publicKey } = seeded;
      const { r } = bind({ ...presignature, publicKey, digest });
      const bindings = [
        { ...presignature, publicKey, digest: flipBit(digest, 0) },
        { ...presignature, publicKey: childOf(seeded, [0]).publicKey, digest },
        { ...presignature, publicKey: randomPoint(), digest },
        { ...presignature, publicKey, digest, participants: [1, 2, 4] },
        { ...presignature, publicKey, digest, number: 1 },
      ];
      expect(new Set([BigInt(`0x${toHex(presignature.R.subarray(1))}`), r, ...bindings.map((use) => bind(use).r)]).size).toBe(7);
    },
  },
];

export const ecdsa: readonly Case[] = [...presignCases, ...signCases];
