import { describe, expect, it } from 'vitest';
import { concat, utf8 } from '../../../src/base/bytes.ts';
import type { Payload } from '../../../src/crypto/schemes/scheme.ts';
import { aggregate } from '../../../src/mpc/frost/aggregate.ts';
import { ciphersuiteOf } from '../../../src/mpc/frost/ciphersuite.ts';
import { type Commitment, wipeNonces } from '../../../src/mpc/frost/commit.ts';
import { signShare } from '../../../src/mpc/frost/sign.ts';
import { of } from '../memoryParty.ts';
import { aggregateFrost, commitAll, type FrostSession, frostShare, type Keyed, keyedCluster } from '../signing.ts';
import { abortOf, corrupt, flipBit, victim } from './tampering.ts';

const suites = [
  { suite: ciphersuiteOf('EdDSA/ed25519'), payload: { bytes: utf8('a message') } },
  { suite: ciphersuiteOf('Schnorr/secp256k1'), payload: { bytes: new Uint8Array(32).fill(5), taprootMerkleRoot: new Uint8Array(0) } },
] as const;

const set = [victim, corrupt, 3];

describe.each(suites)(
  'Attacks on FROST, $suite.keyType',
  ({ suite, payload }: { suite: (typeof suites)[number]['suite']; payload: Payload }) => {
    const { group } = suite;
    const keyedOnce = keyedCluster(suite.keyType, 4, 1);
    const isLittleEndian = suite.keyType === 'EdDSA/ed25519';
    const order = Uint8Array.from(Buffer.from(group.order.toString(16).padStart(64, '0'), 'hex'));
    const orderAsScalar = isLittleEndian ? order.toReversed() : order;
    const lowestBit = isLittleEndian ? 0 : 31;

    const sharesOf = (keyed: Keyed, session: FrostSession) => new Map(set.map((i) => [i, frostShare(suite, keyed, i, session, payload)]));

    type Shares = Map<number, Uint8Array>;
    const alter = (change: (share: Uint8Array) => Uint8Array) => (shares: Shares) => shares.set(corrupt, change(of(shares, corrupt)));

    const shareAttacks: { name: string; change: (shares: Shares) => unknown; culprits?: readonly number[] }[] = [
      { name: 'off by one', change: alter((share) => flipBit(share, lowestBit)) },
      { name: 'zero', change: alter(() => new Uint8Array(32)) },
      { name: 'negated', change: alter((share) => group.encodeScalar((group.order - group.decodeScalar(share)) % group.order)) },
      { name: 'of another participant', change: (shares) => shares.set(corrupt, of(shares, 3)) },
      { name: 'not below the order', change: alter(() => orderAsScalar) },
      { name: 'of 31 bytes', change: alter((share) => share.subarray(1)) },
      { name: 'of 33 bytes', change: alter((share) => concat(share, Uint8Array.of(0))) },
      { name: 'empty', change: alter(() => new Uint8Array(0)) },
      { name: 'missing', change: (shares) => shares.delete(corrupt) },
      {
        name: 'wrong from two participants',
        change: (shares) => shares.set(corrupt, flipBit(of(shares, corrupt), lowestBit)).set(3, flipBit(of(shares, 3), 16)),
        culprits: [corrupt, 3],
      },
      {
        name: 'exchanged between two participants',
        change: (shares) => {
          const [two, three] = [of(shares, 2), of(shares, 3)];
          shares.set(2, flipBit(three, lowestBit)).set(3, two);
        },
        culprits: [2, 3],
      },
    ];

    for (const { name, change, culprits = [corrupt] } of shareAttacks) {
      it(`a share ${name}: no signature, the culprit named`, async () => {
        const keyed = await keyedOnce;
        const session = commitAll(suite, keyed, set);
        const shares = sharesOf(keyed, session);
        change(shares);
        expect(abortOf(() => aggregateFrost(suite, keyed, session.commitments, shares, payload)).culprits).toEqual(culprits);
      });
    }

    const commitmentAttacks: { name: string; change: (commitment: Commitment) => Commitment }[] = [
      { name: 'of 0 bytes', change: (commitment) => ({ ...commitment, hiding: new Uint8Array(0) }) },
      { name: 'one byte short', change: (commitment) => ({ ...commitment, binding: commitment.binding.subarray(1) }) },
      { name: 'one byte long', change: (commitment) => ({ ...commitment, binding: concat(commitment.binding, Uint8Array.of(0)) }) },
      { name: 'all zero', change: (commitment) => ({ ...commitment, hiding: new Uint8Array(group.pointBytes) }) },
      { name: 'all ones', change: (commitment) => ({ ...commitment, hiding: new Uint8Array(group.pointBytes).fill(0xff) }) },
      ...(isLittleEndian ? smallOrderPoints : []).map(({ name, hex }) => ({
        name,
        change: (commitment: Commitment) => ({ ...commitment, binding: Uint8Array.from(Buffer.from(hex, 'hex')) }),
      })),
    ];

    for (const { name, change } of commitmentAttacks) {
      it(`a commitment ${name}: signers and coordinator refuse, the culprit named`, async () => {
        const keyed = await keyedOnce;
        const session = commitAll(suite, keyed, set);
        const commitments = new Map([...session.commitments, [corrupt, change(of(session.commitments, corrupt))]] as const);
        const abort = abortOf(() => frostShare(suite, keyed, victim, { ...session, commitments }, payload));
        expect(abort.culprits).toEqual([corrupt]);
        const shares = new Map(set.map((i) => [i, new Uint8Array(32)]));
        expect(abortOf(() => aggregateFrost(suite, keyed, commitments, shares, payload)).culprits).toEqual([corrupt]);
      });
    }

    it('a commitment of ours that the list alters, or leaves out: we do not sign', async () => {
      const keyed = await keyedOnce;
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
    });

    it('nonces used again give nothing, for the same payload or another, nor after a failure', async () => {
      const keyed = await keyedOnce;
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
    });

    it('an R that a signer makes up changes nothing: the signature is that of the commitments, and a bad share is named as without it', async () => {
      const keyed = await keyedOnce;
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
    });

    it('nonces wiped give nothing', async () => {
      const keyed = await keyedOnce;
      const session = commitAll(suite, keyed, set);
      wipeNonces(of(session.nonces, victim));
      expect(abortOf(() => frostShare(suite, keyed, victim, session, payload)).message).toContain('used before');
    });

    it('split view of the payload: no signature, and the one who signed something else is named', async () => {
      const keyed = await keyedOnce;
      const session = commitAll(suite, keyed, set);
      const other = { ...payload, bytes: flipBit(payload.bytes, 0) };
      const shares = new Map(set.map((i) => [i, frostShare(suite, keyed, i, session, i === corrupt ? other : payload)]));
      expect(abortOf(() => aggregateFrost(suite, keyed, session.commitments, shares, payload)).culprits).toEqual([corrupt]);
      expect(abortOf(() => aggregateFrost(suite, keyed, session.commitments, shares, other)).culprits).toEqual([victim, 3]);
    });

    it('split view of the commitments: no signature', async () => {
      const keyed = await keyedOnce;
      const session = commitAll(suite, keyed, set);
      const elsewhere = commitAll(suite, keyed, set).commitments;
      const shown = new Map([...session.commitments, [3, of(elsewhere, 3)]] as const);
      const shares = new Map(
        set.map((i) => [i, frostShare(suite, keyed, i, { ...session, commitments: i === victim ? shown : session.commitments }, payload)]),
      );
      expect(abortOf(() => aggregateFrost(suite, keyed, session.commitments, shares, payload)).culprits).toEqual([victim]);
    });

    it('a share replayed from an earlier signature: no signature, the culprit named', async () => {
      const keyed = await keyedOnce;
      const earlier = commitAll(suite, keyed, set);
      const replayed = frostShare(suite, keyed, corrupt, earlier, payload);
      const session = commitAll(suite, keyed, set);
      const shares = sharesOf(keyed, session).set(corrupt, replayed);
      expect(abortOf(() => aggregateFrost(suite, keyed, session.commitments, shares, payload)).culprits).toEqual([corrupt]);
    });

    it('no more signers than the threshold: refused', async () => {
      const keyed = await keyedOnce;
      expect(() => frostShare(suite, keyed, victim, commitAll(suite, keyed, [victim]), payload)).toThrow('more than the threshold');
    });

    it('a participant numbered 0: refused', async () => {
      const keyed = await keyedOnce;
      const session = commitAll(suite, keyed, set);
      const commitments = new Map([...session.commitments, [0, of(session.commitments, 3)]] as const);
      const { secret, publicKey } = of(keyed.keys, victim);
      const use = { suite, index: victim, threshold: 1, secret, publicKey, nonces: of(session.nonces, victim), commitments, payload };
      expect(() => signShare(use)).toThrow('numbered from 1');
    });

    it('another public key: no signature', async () => {
      const [keyed, other] = [await keyedOnce, await keyedCluster(suite.keyType, 4, 1)];
      const session = commitAll(suite, keyed, set);
      const shares = sharesOf(keyed, session);
      abortOf(() => aggregateFrost(suite, { ...keyed, publicKey: other.publicKey }, session.commitments, shares, payload));
    });
  },
);

const smallOrderPoints = [
  { name: 'that is the identity', hex: '0100000000000000000000000000000000000000000000000000000000000000' },
  { name: 'of order 2', hex: 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f' },
  { name: 'of order 4', hex: '0000000000000000000000000000000000000000000000000000000000000080' },
  { name: 'of order 8', hex: '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05' },
  { name: 'of the base point plus a point of order 2', hex: '9599999999999999999999999999999999999999999999999999999999999999' },
  { name: 'that is not canonical', hex: 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f' },
];

describe('Taproot only', () => {
  const suite = ciphersuiteOf('Schnorr/secp256k1');

  it('split view of the merkle root: no signature, and the one who signed for another root is named', async () => {
    const keyed = await keyedCluster('Schnorr/secp256k1', 3, 1);
    const session = commitAll(suite, keyed, set);
    const payload = { bytes: new Uint8Array(32).fill(1), taprootMerkleRoot: new Uint8Array(0) };
    const other = { ...payload, taprootMerkleRoot: new Uint8Array(32) };
    const shares = new Map(set.map((i) => [i, frostShare(suite, keyed, i, session, i === corrupt ? other : payload)]));
    expect(abortOf(() => aggregateFrost(suite, keyed, session.commitments, shares, payload)).culprits).toEqual([corrupt]);
  });
});
