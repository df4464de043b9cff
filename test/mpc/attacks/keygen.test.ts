import { describe, expect, it } from 'vitest';
import { concat } from '../../../src/base/bytes.ts';
import { type KeyType, keyTypes } from '../../../src/base/keyTypes.ts';
import { groupOf } from '../../../src/crypto/groups/index.ts';
import { keygen } from '../../../src/mpc/dkg.ts';
import { clusterOf, type Relay } from '../memoryParty.ts';
import { confirming, corrupt, expectCaught, flipBit, inRound, relayAttacks, replaying, splice, toEverybody, victim } from './tampering.ts';

const group = groupOf('secp256k1');
const threshold = 1;
const infinity = new Uint8Array(33);
/** x = 5 has no y on secp256k1. */
const offCurve = Uint8Array.of(0x02, ...new Uint8Array(31), 5);
const orderAsScalar = new Uint8Array(Buffer.from(group.order.toString(16), 'hex'));

/** Where the parts of a package begin: C_0, C_1, R, μ, the commitment to the chain code. */
const at = { C0: 0, C1: 33, R: 66, mu: 99, chainCode: 131 };
const changed = (offset: number, part: Uint8Array): Relay => toEverybody('dkg/package', (e) => e.signed(splice(e.message, offset, part)));
const randomPoint = () => group.encodePoint(group.multiplyBase(group.randomScalar()));

interface Attack {
  readonly name: string;
  readonly relay: Relay;
  /** Who must not end with a share. */
  readonly mustFail?: readonly number[];
}

const attacks: Attack[] = [
  ...relayAttacks('dkg/package'),
  { name: 'package: C_1 at infinity', relay: changed(at.C1, infinity) },
  { name: 'package: C_0 at infinity', relay: changed(at.C0, infinity) },
  { name: 'package: C_1 off the curve', relay: changed(at.C1, offCurve) },
  { name: 'package: C_1 with an unknown prefix', relay: changed(at.C1, Uint8Array.of(0x05)) },
  { name: 'package: C_0 without proof of possession', relay: changed(at.C0, randomPoint()) },
  {
    name: 'package: a C_0 chosen so that the key is the attacker’s (rogue key)',
    relay: toEverybody('dkg/package', (e) => {
      const others = [1, 3].map((i) => group.decodePoint(e.sent(i, corrupt).toAll.subarray(64, 97)));
      return e.signed(splice(e.message, at.C0, group.encodePoint(group.add(group.base, ...others.map(group.negate)))));
    }),
  },
  { name: 'package: proof with another R', relay: changed(at.R, randomPoint()) },
  { name: 'package: proof with R at infinity', relay: changed(at.R, infinity) },
  { name: 'package: proof with another μ', relay: toEverybody('dkg/package', (e) => e.signed(flipBit(e.message, at.mu + 31))) },
  { name: 'package: proof with μ ≥ n', relay: changed(at.mu, orderAsScalar) },
  {
    name: 'package: commitments and proof of another participant, signed as one’s own',
    relay: toEverybody('dkg/package', (e) =>
      e.signed(splice(e.message, 0, e.sent(3, e.to === 3 ? 1 : e.to).toAll.subarray(64, 64 + at.chainCode))),
    ),
  },
  {
    name: 'package: different ones for different participants, both good',
    relay: inRound('dkg/package', (e) => e.signed(flipBit(e.message, at.chainCode))),
  },

  ...relayAttacks('dkg/share'),
  {
    name: 'share: echo that claims a package nobody signed',
    relay: inRound('dkg/share', (e) => e.signed(flipBit(e.message, 2 * 96))),
  },
  {
    name: 'share: another chain code contribution than committed to',
    relay: toEverybody('dkg/share', (e) => e.signed(flipBit(e.message, -1))),
  },
  { name: 'share: box missing', relay: inRound('dkg/share', (e) => ({ ...e, toMe: new Uint8Array(0) })) },
  { name: 'share: box with a flipped signature', relay: inRound('dkg/share', (e) => ({ ...e, toMe: flipBit(e.toMe, 0) })) },
  { name: 'share: box with a flipped ciphertext', relay: inRound('dkg/share', (e) => ({ ...e, toMe: flipBit(e.toMe, 64) })) },
  { name: 'share: box with a flipped ephemeral key', relay: inRound('dkg/share', (e) => ({ ...e, toMe: flipBit(e.toMe, -1) })) },
  { name: 'share: box cut off', relay: inRound('dkg/share', (e) => ({ ...e, toMe: e.toMe.subarray(0, -1) })) },
  { name: 'share: the box for another', relay: inRound('dkg/share', (e) => ({ ...e, toMe: e.sent(corrupt, 3).toMe })) },
  { name: 'share: the box of another', relay: inRound('dkg/share', (e) => ({ ...e, toMe: e.sent(3, victim).toMe })) },
  { name: 'share: off the polynomial', relay: inRound('dkg/share', (e) => e.sealed((share) => flipBit(share, 31))) },
  { name: 'share: zero', relay: inRound('dkg/share', (e) => e.sealed(() => new Uint8Array(32))) },
  { name: 'share: not below the order', relay: inRound('dkg/share', (e) => e.sealed(() => orderAsScalar)) },
  { name: 'share: of 31 bytes', relay: inRound('dkg/share', (e) => e.sealed((share) => share.subarray(1))) },
  { name: 'share: of 33 bytes', relay: inRound('dkg/share', (e) => e.sealed((share) => concat(share, Uint8Array.of(0)))) },
  { name: 'share: empty', relay: inRound('dkg/share', (e) => e.sealed(() => new Uint8Array(0))) },

  // In the last round the others have everybody's confirmation already: only the victim can refuse.
  ...relayAttacks('dkg/confirm').map((attack) => ({ ...attack, mustFail: [victim] })),
  { name: 'confirm: another key', relay: inRound('dkg/confirm', (e) => e.signed(flipBit(e.message, 0))), mustFail: [victim] },
];

describe('Attacks on key generation: nobody keeps a share, and the culprit is named', () => {
  for (const { name, relay, mustFail = [1, 2, 3] } of attacks) {
    it(name, async () => {
      const conniving = name.includes('confirm') ? relay : confirming('dkg/confirm', relay);
      const results = await clusterOf(3).settle((party) => keygen(party, { keyType: 'ECDSA/secp256k1', threshold }), { relay: conniving });
      expectCaught(results, { mustFail, culprits: [corrupt] });
    });
  }

  it.each(['dkg/package', 'dkg/share', 'dkg/confirm'])('%s: replayed from an earlier session', async (round) => {
    const cluster = clusterOf(3);
    const relay = replaying(round);
    const generate = () => cluster.settle((party) => keygen(party, { keyType: 'ECDSA/secp256k1', threshold }), { relay });
    expect([...(await generate()).values()].every(({ status }) => status === 'fulfilled')).toBe(true);
    expectCaught(await generate(), { mustFail: [victim], culprits: [corrupt] });
  });

  it('a session started twice under one name: the old package does not pass for the new one', async () => {
    const cluster = clusterOf(3);
    const relay = replaying('dkg/package');
    const sessionId = new Uint8Array(32);
    const generate = () => cluster.settle((party) => keygen(party, { keyType: 'ECDSA/secp256k1', threshold }), { relay, sessionId });
    await generate();
    expect([...(await generate()).values()].every(({ status }) => status === 'rejected')).toBe(true);
  });

  it('with two of five corrupt, both send bad shares: one of them is named', async () => {
    const relay: Relay = (e) => (e.round === 'dkg/share' && (e.from === 2 || e.from === 4) ? e.sealed((share) => flipBit(share, 31)) : e);
    const results = await clusterOf(5).settle((party) => keygen(party, { keyType: 'ECDSA/secp256k1', threshold: 2 }), { relay });
    expect([...results.values()].every(({ status }) => status === 'rejected')).toBe(true);
    const named = [...results.values()].flatMap((result) => (result.status === 'rejected' ? result.reason.culprits : []));
    expect(named).toContain(2);
  });
});

/** Points that decode on ed25519 but lie outside the prime-order subgroup, and encodings that are not canonical. */
const badPoints = [
  { name: 'the identity', hex: '0100000000000000000000000000000000000000000000000000000000000000' },
  { name: 'the point of order 2', hex: 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f' },
  { name: 'a point of order 4', hex: '0000000000000000000000000000000000000000000000000000000000000000' },
  { name: 'a point of order 8', hex: '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05' },
  { name: 'another point of order 8', hex: 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a' },
  { name: 'a non-canonical identity', hex: 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f' },
  { name: 'the base point plus a point of order 2', hex: '9599999999999999999999999999999999999999999999999999999999999999' },
];

describe('Attacks on key generation over ed25519', () => {
  const generate = (keyType: KeyType, relay: Relay) => clusterOf(3).settle((party) => keygen(party, { keyType, threshold }), { relay });

  it.each(badPoints)('package: C_1 is $name', async ({ hex }) => {
    const point = new Uint8Array(Buffer.from(hex, 'hex'));
    const relay = toEverybody('dkg/package', (e) => e.signed(splice(e.message, 32, point)));
    expectCaught(await generate('EdDSA/ed25519', relay), { mustFail: [1, 2, 3], culprits: [corrupt] });
  });

  it.each(['ECDSA/stark', 'Schnorr/secp256k1', 'DH/secp256k1'] as const)('%s: a share off the polynomial', async (keyType) => {
    const { order } = groupOf(keyTypes[keyType].curve);
    const relay = inRound('dkg/share', (e) =>
      e.sealed((share) => groupOf(keyTypes[keyType].curve).encodeScalar((BigInt(`0x${Buffer.from(share).toString('hex')}`) + 1n) % order)),
    );
    expectCaught(await generate(keyType, relay), { mustFail: [1, 2, 3], culprits: [corrupt] });
  });
});
