/** Attacks on key generation: nobody keeps a share, and the culprit is named. @module */

import { expect } from 'vitest';
import type { KeyType } from '../../../src/base/keyTypes.ts';
import { groupOf } from '../../../src/crypto/groups/index.ts';
import { keygen } from '../../../src/mpc/dkg.ts';
import { clusterOf, type Relay } from '../memoryParty.ts';
import type { Case, Message } from './cases.ts';
import {
  boxAttacks,
  confirming,
  corrupt,
  expectCaught,
  flipBit,
  inRound,
  offCurve,
  oneMore,
  orderAsScalar,
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
const threshold = 1;
const infinity = new Uint8Array(33);

/** Where the parts of a package begin: C_0, C_1, R, μ, the commitment to the chain code. */
const at = { C0: 0, C1: 33, R: 66, mu: 99, chainCode: 131 };
const changed = (offset: number, part: Uint8Array): Relay => toEverybody('dkg/package', (e) => e.signed(splice(e.message, offset, part)));
const randomPoint = () => group.encodePoint(group.multiplyBase(group.randomScalar()));

interface KeygenAttack extends RelayAttack {
  /** Who must not end with a share. */
  readonly mustFail?: readonly number[];
}

const dealt: readonly KeygenAttack[] = [
  ...relayAttacks('dkg/package'),
  { attack: 'point at infinity', name: 'C_1', relay: changed(at.C1, infinity) },
  { attack: 'point at infinity', name: 'C_0', relay: changed(at.C0, infinity) },
  { attack: 'point at infinity', name: 'R of the proof', relay: changed(at.R, infinity) },
  { attack: 'point off the curve', name: 'C_1', relay: changed(at.C1, offCurve) },
  { attack: 'point off the curve', name: 'C_1 with an unknown prefix', relay: changed(at.C1, Uint8Array.of(0x05)) },
  { attack: 'wrong value', name: 'C_0 without proof of possession', relay: changed(at.C0, randomPoint()) },
  {
    attack: 'wrong value',
    name: 'a C_0 chosen so that the key is the attacker’s (rogue key)',
    relay: toEverybody('dkg/package', (e) => {
      const honest = [1, 3].map((i) => group.decodePoint(e.sent(i, corrupt).toAll.subarray(64, 97)));
      return e.signed(splice(e.message, at.C0, group.encodePoint(group.add(group.base, ...honest.map(group.negate)))));
    }),
  },
  { attack: 'wrong value', name: 'proof with another R', relay: changed(at.R, randomPoint()) },
  {
    attack: 'wrong value',
    name: 'proof with another μ',
    relay: toEverybody('dkg/package', (e) => e.signed(flipBit(e.message, at.mu + 31))),
  },
  { attack: 'scalar out of range', name: 'μ of the proof', relay: changed(at.mu, orderAsScalar) },
  {
    attack: 'another signer’s',
    name: 'commitments and proof of another participant, signed as one’s own',
    relay: toEverybody('dkg/package', (e) =>
      e.signed(splice(e.message, 0, e.sent(3, e.to === 3 ? 1 : e.to).toAll.subarray(64, 64 + at.chainCode))),
    ),
  },
  {
    attack: 'split view',
    name: 'different packages for different participants, both good',
    relay: inRound('dkg/package', (e) => e.signed(flipBit(e.message, at.chainCode))),
  },
];

const shared: readonly KeygenAttack[] = [
  ...relayAttacks('dkg/share'),
  ...boxAttacks('dkg/share'),
  {
    attack: 'split view',
    name: 'echo that claims a package nobody signed',
    relay: inRound('dkg/share', (e) => e.signed(flipBit(e.message, 2 * 96))),
  },
  {
    attack: 'wrong value',
    name: 'another chain code contribution than committed to',
    relay: toEverybody('dkg/share', (e) => e.signed(flipBit(e.message, -1))),
  },
  ...shareAttacks('dkg/share'),
];

// In the last round the others have everybody's confirmation already: only the victim can refuse.
const confirmed: readonly KeygenAttack[] = [
  ...relayAttacks('dkg/confirm').map((one) => ({ ...one, mustFail: [victim] })),
  {
    attack: 'wrong value',
    name: 'another key',
    relay: inRound('dkg/confirm', (e) => e.signed(flipBit(e.message, 0))),
    mustFail: [victim],
  },
];

const generate = (keyType: KeyType, relay: Relay) => clusterOf(3).settle((party) => keygen(party, { keyType, threshold }), { relay });

const casesOf = (message: Message, attacks: readonly KeygenAttack[]): Case[] =>
  attacks.map(({ attack, name, relay, mustFail = [1, 2, 3] }) => ({
    message,
    attack,
    name,
    async run() {
      const conniving = message === 'dkg/confirm' ? relay : confirming('dkg/confirm', relay);
      expectCaught(await generate('ECDSA/secp256k1', conniving), { mustFail, culprits: [corrupt] });
    },
  }));

export const keyGeneration: readonly Case[] = [
  ...casesOf('dkg/package', dealt),
  ...casesOf('dkg/share', shared),
  ...casesOf('dkg/confirm', confirmed),

  ...(['dkg/package', 'dkg/share', 'dkg/confirm'] as const).map((round) => ({
    message: round,
    attack: 'replayed' as const,
    name: 'from an earlier session',
    async run() {
      const cluster = clusterOf(3);
      const relay = replaying(round);
      const again = () => cluster.settle((party) => keygen(party, { keyType: 'ECDSA/secp256k1', threshold }), { relay });
      expect([...(await again()).values()].every(({ status }) => status === 'fulfilled')).toBe(true);
      expectCaught(await again(), { mustFail: [victim], culprits: [corrupt] });
    },
  })),
  {
    message: 'dkg/package',
    attack: 'repeated id',
    name: 'a session started twice under one name: the old package does not pass for the new one',
    async run() {
      const cluster = clusterOf(3);
      const relay = replaying('dkg/package');
      const sessionId = new Uint8Array(32);
      const again = () => cluster.settle((party) => keygen(party, { keyType: 'ECDSA/secp256k1', threshold }), { relay, sessionId });
      await again();
      expect([...(await again()).values()].every(({ status }) => status === 'rejected')).toBe(true);
    },
  },
  {
    message: 'dkg/share',
    attack: 'wrong value',
    name: 'two of five send bad shares: one of them is named',
    async run() {
      const relay: Relay = (e) => (e.round === 'dkg/share' && (e.from === 2 || e.from === 4) ? e.sealed((share) => flipBit(share, 31)) : e);
      const results = await clusterOf(5).settle((party) => keygen(party, { keyType: 'ECDSA/secp256k1', threshold: 2 }), { relay });
      expect([...results.values()].every(({ status }) => status === 'rejected')).toBe(true);
      const named = [...results.values()].flatMap((result) => (result.status === 'rejected' ? result.reason.culprits : []));
      expect(named).toContain(2);
    },
  },
  ...smallOrderPoints.map(({ name, point }) => ({
    message: 'dkg/package' as const,
    attack: 'point of small order' as const,
    name: `C_1 is ${name}`,
    async run() {
      const relay = toEverybody('dkg/package', (e) => e.signed(splice(e.message, 32, point)));
      expectCaught(await generate('EdDSA/ed25519', relay), { mustFail: [1, 2, 3], culprits: [corrupt] });
    },
  })),
  ...(['EdDSA/ed25519', 'ECDSA/stark', 'Schnorr/secp256k1', 'DH/secp256k1'] as const).map((keyType) => ({
    message: 'dkg/share' as const,
    attack: 'wrong value' as const,
    name: `off the polynomial, ${keyType}`,
    async run() {
      const relay = inRound('dkg/share', (e) => e.sealed((share) => oneMore(keyType, share)));
      expectCaught(await generate(keyType, relay), { mustFail: [1, 2, 3], culprits: [corrupt] });
    },
  })),
];
