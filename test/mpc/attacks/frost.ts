/** Attacks on FROST: no signature, and the culprit is named where the shares can be told apart. @module */

import { expect } from 'vitest';
import { concat, utf8 } from '../../../src/base/bytes.ts';
import type { Payload } from '../../../src/crypto/schemes/scheme.ts';
import { aggregate } from '../../../src/mpc/frost/aggregate.ts';
import { ciphersuiteOf } from '../../../src/mpc/frost/ciphersuite.ts';
import { type Commitment, wipeNonces } from '../../../src/mpc/frost/commit.ts';
import { signShare } from '../../../src/mpc/frost/sign.ts';
import { of } from '../memoryParty.ts';
import { aggregateFrost, commitAll, type FrostSession, frostShare, type Keyed, keyedCluster } from '../signing.ts';
import type { Attack, Case } from './cases.ts';
import { abortOf, corrupt, flipBit, offCurve, once, smallOrderPoints, victim } from './tampering.ts';

const suites = [
  { suite: ciphersuiteOf('EdDSA/ed25519'), payload: { bytes: utf8('a message') } },
  { suite: ciphersuiteOf('Schnorr/secp256k1'), payload: { bytes: new Uint8Array(32).fill(5), taprootMerkleRoot: new Uint8Array(0) } },
] as const;

const set = [victim, corrupt, 3];

function casesFor(suite: (typeof suites)[number]['suite'], payload: Payload): Case[] {
  const { group } = suite;
  const infinity = suite.keyType === 'EdDSA/ed25519' ? Uint8Array.of(1, ...new Uint8Array(31)) : new Uint8Array(33);
  const keyedOnce = once(() => keyedCluster(suite.keyType, 4, 1));
  const nowhere = suite.keyType === 'EdDSA/ed25519' ? Uint8Array.of(2, ...new Uint8Array(31)) : offCurve;
  const isLittleEndian = suite.keyType === 'EdDSA/ed25519';
  const order = Uint8Array.from(Buffer.from(group.order.toString(16).padStart(64, '0'), 'hex'));
  const orderAsScalar = isLittleEndian ? order.toReversed() : order;
  const lowestBit = isLittleEndian ? 0 : 31;

  const sharesOf = (keyed: Keyed, session: FrostSession) => new Map(set.map((i) => [i, frostShare(suite, keyed, i, session, payload)]));

  type Shares = Map<number, Uint8Array>;
  const alter = (change: (share: Uint8Array) => Uint8Array) => (shares: Shares) => shares.set(corrupt, change(of(shares, corrupt)));

  const shareAttacks: { attack: Attack; name: string; change: (shares: Shares) => unknown; culprits?: readonly number[] }[] = [
    { attack: 'bit flipped', name: 'off by one', change: alter((share) => flipBit(share, lowestBit)) },
    { attack: 'wrong value', name: 'zero', change: alter(() => new Uint8Array(32)) },
    {
      attack: 'wrong value',
      name: 'negated',
      change: alter((share) => group.encodeScalar((group.order - group.decodeScalar(share)) % group.order)),
    },
    { attack: 'wrong sender', name: 'of another participant', change: (shares) => shares.set(corrupt, of(shares, 3)) },
    { attack: 'scalar out of range', name: 'not below the order', change: alter(() => orderAsScalar) },
    { attack: 'wrong length', name: 'of 31 bytes', change: alter((share) => share.subarray(1)) },
    { attack: 'wrong length', name: 'of 33 bytes', change: alter((share) => concat(share, Uint8Array.of(0))) },
    { attack: 'wrong length', name: 'empty', change: alter(() => new Uint8Array(0)) },
    { attack: 'dropped', name: '', change: (shares) => shares.delete(corrupt) },
    {
      attack: 'wrong value',
      name: 'wrong from two participants',
      change: (shares) => shares.set(corrupt, flipBit(of(shares, corrupt), lowestBit)).set(3, flipBit(of(shares, 3), 16)),
      culprits: [corrupt, 3],
    },
    {
      attack: 'reordered',
      name: 'exchanged between two participants',
      change: (shares) => {
        const [two, three] = [of(shares, 2), of(shares, 3)];
        shares.set(2, flipBit(three, lowestBit)).set(3, two);
      },
      culprits: [2, 3],
    },
  ];

  const commitmentAttacks: { attack: Attack; name: string; change: (commitment: Commitment) => Commitment }[] = [
    { attack: 'wrong length', name: 'of 0 bytes', change: (commitment) => ({ ...commitment, hiding: new Uint8Array(0) }) },
    {
      attack: 'wrong length',
      name: 'one byte short',
      change: (commitment) => ({ ...commitment, binding: commitment.binding.subarray(1) }),
    },
    {
      attack: 'wrong length',
      name: 'one byte long',
      change: (commitment) => ({ ...commitment, binding: concat(commitment.binding, Uint8Array.of(0)) }),
    },
    { attack: 'point at infinity', name: 'D', change: (commitment) => ({ ...commitment, hiding: infinity }) },
    { attack: 'point at infinity', name: 'E', change: (commitment) => ({ ...commitment, binding: infinity }) },
    { attack: 'point off the curve', name: 'D', change: (commitment) => ({ ...commitment, hiding: nowhere }) },
    {
      attack: 'point off the curve',
      name: 'E of ones',
      change: (commitment) => ({ ...commitment, binding: new Uint8Array(group.pointBytes).fill(0xff) }),
    },
    ...(isLittleEndian ? smallOrderPoints : []).map(({ name, point }) => ({
      attack: 'point of small order' as const,
      name: `E is ${name}`,
      change: (commitment: Commitment) => ({ ...commitment, binding: point }),
    })),
  ];

  const cases: Case[] = [
    ...shareAttacks.map(({ attack, name, change, culprits = [corrupt] }) => ({
      message: 'frost/share' as const,
      attack,
      name,
      async run() {
        const keyed = await keyedOnce();
        const session = commitAll(suite, keyed, set);
        const shares = sharesOf(keyed, session);
        change(shares);
        expect(abortOf(() => aggregateFrost(suite, keyed, session.commitments, shares, payload)).culprits).toEqual(culprits);
      },
    })),
    // Signers and coordinator refuse; the culprit is named.
    ...commitmentAttacks.flatMap(({ attack, name, change }) =>
      (['frost/commitments', 'frost/question'] as const).map((message) => ({
        message,
        attack,
        name,
        async run() {
          const keyed = await keyedOnce();
          const session = commitAll(suite, keyed, set);
          const commitments = new Map([...session.commitments, [corrupt, change(of(session.commitments, corrupt))]] as const);
          if (message === 'frost/question') {
            const abort = abortOf(() => frostShare(suite, keyed, victim, { ...session, commitments }, payload));
            expect(abort.culprits).toEqual([corrupt]);
          } else {
            const shares = new Map(set.map((i) => [i, new Uint8Array(32)]));
            expect(abortOf(() => aggregateFrost(suite, keyed, commitments, shares, payload)).culprits).toEqual([corrupt]);
          }
        },
      })),
    ),
    {
      message: 'frost/commitments',
      attack: 'bit flipped',
      name: 'on the way to the signers: no share, or no signature with its shares',
      async run() {
        const keyed = await keyedOnce();
        for (const field of ['hiding', 'binding'] as const) {
          const session = commitAll(suite, keyed, set);
          const other = group.encodePoint(group.multiplyBase(group.randomScalar()));
          const altered = { ...of(session.commitments, corrupt), [field]: other };
          const commitments = new Map([...session.commitments, [corrupt, altered]] as const);
          const share = (i: number) => frostShare(suite, keyed, i, { ...session, commitments }, payload);
          abortOf(() => share(corrupt));
          const shares = new Map([victim, 3].map((i) => [i, share(i)]));
          abortOf(() => aggregateFrost(suite, keyed, session.commitments, shares, payload));
        }
      },
    },
    {
      message: 'frost/commitments',
      attack: 'another signer’s',
      name: 'two exchanged in the list: neither of the two signs',
      async run() {
        const keyed = await keyedOnce();
        const session = commitAll(suite, keyed, set);
        const [two, three] = [of(session.commitments, 2), of(session.commitments, 3)];
        const commitments = new Map([...session.commitments, [2, three], [3, two]] as const);
        for (const i of [2, 3]) abortOf(() => frostShare(suite, keyed, i, { ...session, commitments }, payload));
      },
    },
    {
      message: 'frost/commitments',
      attack: 'wrong sender',
      name: 'one signer’s under another’s number: the other does not sign, and no signature comes of the rest',
      async run() {
        const keyed = await keyedOnce();
        const session = commitAll(suite, keyed, set);
        const commitments = new Map([...session.commitments, [corrupt, of(session.commitments, 3)]] as const);
        abortOf(() => frostShare(suite, keyed, corrupt, { ...session, commitments }, payload));
        const shares = new Map([victim, 3].map((i) => [i, frostShare(suite, keyed, i, { ...session, commitments }, payload)]));
        expect(abortOf(() => aggregateFrost(suite, keyed, commitments, shares.set(corrupt, of(shares, 3)), payload)).culprits).toEqual([
          corrupt,
        ]);
      },
    },
    {
      message: 'frost/commitments',
      attack: 'duplicated',
      name: 'two signers commit to the same: what comes of it verifies or names the culprit, and the nonces of the honest are used up',
      async run() {
        const keyed = await keyedOnce();
        const session = commitAll(suite, keyed, set);
        const commitments = new Map([...session.commitments, [corrupt, of(session.commitments, victim)]] as const);
        const share = frostShare(suite, keyed, victim, { ...session, commitments }, payload);
        const shares = new Map([
          [victim, share],
          [corrupt, share],
          [3, frostShare(suite, keyed, 3, { ...session, commitments }, payload)],
        ]);
        expect(abortOf(() => aggregateFrost(suite, keyed, commitments, shares, payload)).culprits).toEqual([corrupt]);
        expect(abortOf(() => frostShare(suite, keyed, victim, session, payload)).message).toContain('used before');
      },
    },
    {
      message: 'frost/commitments',
      attack: 'replayed',
      name: 'of an earlier signature, in the place of a signer’s own: it does not sign',
      async run() {
        const keyed = await keyedOnce();
        const earlier = commitAll(suite, keyed, set);
        sharesOf(keyed, earlier);
        const session = commitAll(suite, keyed, set);
        const commitments = new Map([...session.commitments, [victim, of(earlier.commitments, victim)]] as const);
        abortOf(() => frostShare(suite, keyed, victim, { ...session, commitments }, payload));
      },
    },
    {
      message: 'frost/share',
      attack: 'duplicated',
      name: 'under another participant’s number: that one is named',
      async run() {
        const keyed = await keyedOnce();
        const session = commitAll(suite, keyed, set);
        const shares = sharesOf(keyed, session);
        shares.set(corrupt, of(shares, victim));
        expect(abortOf(() => aggregateFrost(suite, keyed, session.commitments, shares, payload)).culprits).toEqual([corrupt]);
      },
    },
    {
      message: 'frost/question',
      attack: 'altered relay',
      name: 'a commitment of ours that the list alters, or leaves out: we do not sign',
      async run() {
        const keyed = await keyedOnce();
        const another = of(commitAll(suite, keyed, set).commitments, victim);
        for (const field of ['hiding', 'binding'] as const) {
          const session = commitAll(suite, keyed, set);
          const own = of(session.commitments, victim);
          const commitments = new Map([...session.commitments, [victim, { ...own, [field]: another[field] }]] as const);
          abortOf(() => frostShare(suite, keyed, victim, { ...session, commitments }, payload));
        }
        const session = commitAll(suite, keyed, set);
        const commitments = new Map([...session.commitments].filter(([i]) => i !== victim));
        abortOf(() => frostShare(suite, keyed, victim, { ...session, commitments }, payload));
      },
    },

    {
      message: 'frost/question',
      attack: 'used again',
      name: 'nonces used again give nothing, for the same payload or another, nor after a failure',
      async run() {
        const keyed = await keyedOnce();
        const session = commitAll(suite, keyed, set);
        frostShare(suite, keyed, victim, session, payload);
        expect(abortOf(() => frostShare(suite, keyed, victim, session, payload)).message).toContain('used before');
        const other = { ...payload, bytes: flipBit(payload.bytes, 0) };
        expect(abortOf(() => frostShare(suite, keyed, victim, session, other)).message).toContain('used before');
        abortOf(() =>
          frostShare(
            suite,
            keyed,
            3,
            {
              ...session,
              commitments: new Map([
                [1, of(session.commitments, 1)],
                [2, of(session.commitments, 2)],
              ]),
            },
            payload,
          ),
        );
        expect(abortOf(() => frostShare(suite, keyed, 3, session, payload)).message).toContain('used before');
      },
    },

    {
      message: 'frost/share',
      attack: 'wrong value',
      name: 'an R that a signer makes up changes nothing: the signature is that of the commitments, and a bad share is named as without it',
      async run() {
        const keyed = await keyedOnce();
        const { publicKey } = keyed;
        const { verificationShares } = of(keyed.keys, 1);
        const others = commitAll(suite, keyed, set).commitments;
        const lies = [new Uint8Array(0), new Uint8Array(group.pointBytes), of(others, corrupt).hiding, group.encodePoint(group.base)];
        const session = commitAll(suite, keyed, set);
        const shares = sharesOf(keyed, session);
        const honest = aggregateFrost(suite, keyed, session.commitments, shares, payload);
        const use = { suite, publicKey, verificationShares, commitments: session.commitments, payload };
        for (const R of lies) expect(aggregate({ ...use, shares, R })).toEqual(honest);
        const wrong = new Map([...shares, [corrupt, group.encodeScalar(7n)] as const]);
        for (const R of lies) expect(abortOf(() => aggregate({ ...use, shares: wrong, R })).culprits).toEqual([corrupt]);
      },
    },

    {
      message: 'frost/question',
      attack: 'used again',
      name: 'nonces wiped give nothing',
      async run() {
        const keyed = await keyedOnce();
        const session = commitAll(suite, keyed, set);
        wipeNonces(of(session.nonces, victim));
        expect(abortOf(() => frostShare(suite, keyed, victim, session, payload)).message).toContain('used before');
      },
    },

    {
      message: 'frost/share',
      attack: 'split view',
      name: 'split view of the payload: no signature, and the one who signed something else is named',
      async run() {
        const keyed = await keyedOnce();
        const session = commitAll(suite, keyed, set);
        const other = { ...payload, bytes: flipBit(payload.bytes, 0) };
        const shares = new Map(set.map((i) => [i, frostShare(suite, keyed, i, session, i === corrupt ? other : payload)]));
        expect(abortOf(() => aggregateFrost(suite, keyed, session.commitments, shares, payload)).culprits).toEqual([corrupt]);
        expect(abortOf(() => aggregateFrost(suite, keyed, session.commitments, shares, other)).culprits).toEqual([victim, 3]);
      },
    },

    {
      message: 'frost/commitments',
      attack: 'split view',
      name: 'split view of the commitments: no signature',
      async run() {
        const keyed = await keyedOnce();
        const session = commitAll(suite, keyed, set);
        const elsewhere = commitAll(suite, keyed, set).commitments;
        const shown = new Map([...session.commitments, [3, of(elsewhere, 3)]] as const);
        const shares = new Map(
          set.map((i) => [
            i,
            frostShare(suite, keyed, i, { ...session, commitments: i === victim ? shown : session.commitments }, payload),
          ]),
        );
        expect(abortOf(() => aggregateFrost(suite, keyed, session.commitments, shares, payload)).culprits).toEqual([victim]);
      },
    },

    {
      message: 'frost/share',
      attack: 'replayed',
      name: 'a share replayed from an earlier signature: no signature, the culprit named',
      async run() {
        const keyed = await keyedOnce();
        const earlier = commitAll(suite, keyed, set);
        const replayed = frostShare(suite, keyed, corrupt, earlier, payload);
        const session = commitAll(suite, keyed, set);
        const shares = sharesOf(keyed, session).set(corrupt, replayed);
        expect(abortOf(() => aggregateFrost(suite, keyed, session.commitments, shares, payload)).culprits).toEqual([corrupt]);
      },
    },

    {
      message: 'frost/question',
      attack: 'dropped',
      name: 'no more signers than the threshold: refused',
      async run() {
        const keyed = await keyedOnce();
        expect(() => frostShare(suite, keyed, victim, commitAll(suite, keyed, [victim]), payload)).toThrow('more than the threshold');
      },
    },

    {
      message: 'frost/question',
      attack: 'wrong sender',
      name: 'a participant numbered 0: refused',
      async run() {
        const keyed = await keyedOnce();
        const session = commitAll(suite, keyed, set);
        const commitments = new Map([...session.commitments, [0, of(session.commitments, 3)]] as const);
        const { secret, publicKey } = of(keyed.keys, victim);
        const use = { suite, index: victim, threshold: 1, secret, publicKey, nonces: of(session.nonces, victim), commitments, payload };
        expect(() => signShare(use)).toThrow('numbered from 1');
      },
    },

    {
      message: 'frost/share',
      attack: 'another key’s',
      name: 'another public key: no signature',
      async run() {
        const [keyed, other] = [await keyedOnce(), await keyedCluster(suite.keyType, 4, 1)];
        const session = commitAll(suite, keyed, set);
        const shares = sharesOf(keyed, session);
        abortOf(() => aggregateFrost(suite, { ...keyed, publicKey: other.publicKey }, session.commitments, shares, payload));
      },
    },
  ];
  return cases.map((one) => ({ ...one, name: [one.name, suite.keyType].filter((part) => part !== '').join(', ') }));
}

export const frost: readonly Case[] = [
  ...suites.flatMap(({ suite, payload }) => casesFor(suite, payload)),
  {
    message: 'frost/share',
    attack: 'split view',
    name: 'of the merkle root: no signature, and the one who signed for another root is named',
    async run() {
      const suite = ciphersuiteOf('Schnorr/secp256k1');
      const keyed = await keyedCluster('Schnorr/secp256k1', 3, 1);
      const session = commitAll(suite, keyed, set);
      const payload = { bytes: new Uint8Array(32).fill(1), taprootMerkleRoot: new Uint8Array(0) };
      const other = { ...payload, taprootMerkleRoot: new Uint8Array(32) };
      const shares = new Map(set.map((i) => [i, frostShare(suite, keyed, i, session, i === corrupt ? other : payload)]));
      expect(abortOf(() => aggregateFrost(suite, keyed, session.commitments, shares, payload)).culprits).toEqual([corrupt]);
    },
  },
];
