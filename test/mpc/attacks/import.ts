/** Attacks on the import of a key: by its owner, by who relays it to the signers, by a signer. Nobody holds a share of it. @module */

import { expect } from 'vitest';
import { Abort, Refusal } from '../../../src/base/errors.ts';
import type { KeyType } from '../../../src/base/keyTypes.ts';
import { groupOf } from '../../../src/crypto/groups/index.ts';
import type { HandedIn } from '../../../src/mpc/importShare.ts';
import { type Dealt, dealt, handedTo, importing } from '../importing.ts';
import type { Relay, RunOptions } from '../memoryParty.ts';
import type { Attack, Case, Message } from './cases.ts';
import {
  corrupt,
  expectCaught,
  flipBit,
  inRound,
  offCurve,
  type RelayAttack,
  relayAttacks,
  replaying,
  smallOrderPoints,
  victim,
} from './tampering.ts';

const keyType = 'ECDSA/secp256k1';
const group = groupOf('secp256k1');
const setting = { keyType, size: 3, threshold: 1, minSigners: 2 } as const;
const everybody = [1, 2, 3];

const settled = (owner: Dealt, options: RunOptions = {}) => importing({ ...setting, owner }, options).settled;

const committed: readonly RelayAttack[] = [
  ...relayAttacks('import/commit'),
  {
    attack: 'split view',
    name: 'two commitments to the chain code: the echo names who made them',
    relay: inRound('import/commit', (e) => e.signed(flipBit(e.message, 40))),
  },
];

const revealed: readonly RelayAttack[] = [
  ...relayAttacks('import/reveal'),
  {
    attack: 'split view',
    name: 'echo that claims a commitment nobody signed',
    relay: inRound('import/reveal', (e) => e.signed(flipBit(e.message, 2 * 96))),
  },
  {
    attack: 'wrong value',
    name: 'another chain code contribution than committed to',
    relay: inRound('import/reveal', (e) => e.signed(flipBit(e.message, -1))),
  },
];

const roundCases = (message: Message, attacks: readonly RelayAttack[]): Case[] => [
  ...attacks.map(({ attack, name, relay }) => ({
    message,
    attack,
    name,
    run: async () => expectCaught(await settled(dealt(keyType, setting), { relay }), { mustFail: everybody, culprits: [corrupt] }),
  })),
  {
    message,
    attack: 'replayed',
    name: 'from an earlier session of the same key',
    async run() {
      const owner = dealt(keyType, setting);
      const relay = replaying(message);
      const { cluster, settled: first } = importing({ ...setting, owner }, { relay });
      expect([...(await first).values()].every(({ status }) => status === 'fulfilled')).toBe(true);
      const again = await importing({ ...setting, owner, cluster }, { relay }).settled;
      expectCaught(again, { mustFail: everybody, culprits: [corrupt] });
    },
  },
];

/** What somebody hands in, in the place of what the owner made for them. Participants are numbered the other way round by the owner. */
interface HandedInAttack {
  readonly attack: Attack;
  readonly name: string;
  readonly handIn: (own: (number: number) => HandedIn, number: number) => HandedIn;
  readonly reason: string;
  readonly minSigners?: number;
}

const forOne =
  (change: (handedIn: HandedIn) => HandedIn): HandedInAttack['handIn'] =>
  (own, number) =>
    number === 2 ? change(own(number)) : own(number);
const forAll =
  (change: (publicShares: readonly Uint8Array[]) => readonly Uint8Array[]): HandedInAttack['handIn'] =>
  (own, number) => ({ ...own(number), publicShares: change(own(number).publicShares) });
const outOfRange = 'a share is a scalar below the order of its curve';
const notItsOwn = (number: number) => `the share of signer number ${number} does not belong to its public share`;

const handedIn: readonly HandedInAttack[] = [
  {
    attack: 'bit flipped',
    name: 'of a share',
    handIn: forOne((one) => ({ ...one, secret: flipBit(one.secret, 31) })),
    reason: notItsOwn(2),
  },
  {
    attack: 'reordered',
    name: 'two shares exchanged',
    handIn: (own, number) => own(number === 1 ? 2 : number === 2 ? 1 : 3),
    reason: notItsOwn(2),
  },
  {
    attack: 'duplicated',
    name: 'one share to two signers',
    handIn: (own, number) => own(number === 2 ? 1 : number),
    reason: notItsOwn(2),
  },
  {
    attack: 'wrong sender',
    name: 'one share of another owner’s key',
    handIn: (own, number) => ({ ...own(number), secret: number === 2 ? handedTo(keyType, another, 2).secret : own(number).secret }),
    reason: notItsOwn(2),
  },
  {
    attack: 'split view',
    name: 'one signer gets a whole other sharing',
    handIn: (own, number) => (number === 2 ? handedTo(keyType, another, 2) : own(number)),
    reason: 'the public shares that went to participant',
  },
  {
    attack: 'wrong value',
    name: 'a sharing of a higher degree than minSigners says',
    handIn: (_, number) => handedTo(keyType, higher, number),
    reason: 'not any 2 of the public shares make the same key',
  },
  {
    attack: 'wrong value',
    name: 'a share of zero',
    handIn: forOne((one) => ({ ...one, secret: new Uint8Array(32) })),
    reason: notItsOwn(2),
  },
  {
    attack: 'dropped',
    name: 'one public share',
    handIn: forAll((shares) => shares.slice(0, 2)),
    reason: 'there are 2 public shares for 3 signers',
  },
  {
    attack: 'wrong length',
    name: 'one public share too many',
    handIn: forAll((shares) => [...shares, group.encodePoint(group.base)]),
    reason: 'there are 4 public shares for 3 signers',
  },
  {
    attack: 'wrong length',
    name: 'a share of 31 bytes',
    handIn: forOne((one) => ({ ...one, secret: one.secret.subarray(1) })),
    reason: outOfRange,
  },
  {
    attack: 'wrong length',
    name: 'a public share of 32 bytes',
    handIn: forAll((shares) => shares.with(2, group.encodePoint(group.base).subarray(1))),
    reason: 'public share number 3 is no point of secp256k1',
  },
  {
    attack: 'point off the curve',
    name: '',
    handIn: forAll((shares) => shares.with(2, offCurve)),
    reason: 'public share number 3 is no point of secp256k1',
  },
  {
    attack: 'point at infinity',
    name: '',
    handIn: forAll((shares) => shares.with(2, new Uint8Array(33))),
    reason: 'public share number 3 is no point of secp256k1',
  },
  {
    attack: 'scalar out of range',
    name: '',
    handIn: forOne((one) => ({ ...one, secret: new Uint8Array(32).fill(255) })),
    reason: outOfRange,
  },
  ...[1, 0, 4].map((minSigners) => ({
    attack: 'wrong value' as const,
    name: `minSigners of ${minSigners}`,
    handIn: (own: (number: number) => HandedIn, number: number) => own(number),
    reason: 'minSigners is from 2 to 3, the number of signers',
    minSigners,
  })),
];

const another = dealt(keyType, setting);
const higher = dealt(keyType, { size: 3, minSigners: 3 });

/** Whoever sees it refuses it, as the owner's fault; the others hear nothing more. */
async function expectRefused({
  reason,
  ...wanted
}: {
  keyType?: KeyType;
  minSigners?: number;
  owner: Dealt;
  handIn: (number: number) => HandedIn;
  reason: string;
}) {
  const results = await importing({ ...setting, ...wanted }).settled;
  const reasons = [...results.values()].map((result) => (result.status === 'rejected' ? result.reason : new Error('it holds a share')));
  for (const one of reasons)
    expect(one instanceof Refusal || (one instanceof Abort && one.message.includes('is gone')), one.message).toBe(true);
  expect(reasons.map(({ message }) => message).join()).toContain(reason);
}

export const keyImport: readonly Case[] = [
  ...roundCases('import/commit', committed),
  {
    message: 'import/commit',
    attack: 'wrong value',
    name: 'the hash of another sharing',
    async run() {
      const relay: Relay = (e) => (e.round === 'import/commit' && e.from === corrupt ? e.signed(flipBit(e.message, 0)) : e);
      const results = await settled(dealt(keyType, setting), { relay });
      for (const honest of [victim, 3]) {
        expect(results.get(honest)).toMatchObject({ status: 'rejected', reason: { message: /participant \d are others than those/ } });
      }
    },
  },
  ...roundCases('import/reveal', revealed),
  ...handedIn.map(({ attack, name, handIn, reason, minSigners }) => ({
    message: 'import/share' as const,
    attack,
    name,
    run: () => {
      const owner = dealt(keyType, setting);
      const own = (number: number) => handedTo(keyType, owner, number);
      return expectRefused({ owner, handIn: (number) => handIn(own, number), reason, ...(minSigners !== undefined && { minSigners }) });
    },
  })),
  ...smallOrderPoints.map(({ name, point }) => ({
    message: 'import/share' as const,
    attack: 'point of small order' as const,
    name: `a public share is ${name}`,
    run: () => {
      const owner = dealt('EdDSA/ed25519', setting);
      const handIn = (number: number) => {
        const own = handedTo('EdDSA/ed25519', owner, number);
        return { ...own, publicShares: own.publicShares.with(2, point) };
      };
      return expectRefused({ keyType: 'EdDSA/ed25519', owner, handIn, reason: 'public share number 3 is no point of ed25519' });
    },
  })),
];
