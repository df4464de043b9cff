/**
 * What attackers do to messages, by name; and what must be true afterwards.
 * @module
 */

import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { concat } from '../../../src/base/bytes.ts';
import { Abort } from '../../../src/base/errors.ts';
import { type KeyType, keyTypes } from '../../../src/base/keyTypes.ts';
import { groupOf } from '../../../src/crypto/groups/index.ts';
import type { Received } from '../../../src/mpc/party.ts';
import type { Relay } from '../memoryParty.ts';
import type { Attack } from './cases.ts';

/** The corrupt participant of the attacks, and the one who must notice. */
export const corrupt = 2;
export const victim = 1;

/** x = 5 has no y on secp256k1: encoded, 33 bytes. */
export const offCurve = Uint8Array.of(0x02, ...new Uint8Array(31), 5);

/** n of secp256k1, as its scalars are encoded. */
export const orderAsScalar = new Uint8Array(Buffer.from(groupOf('secp256k1').order.toString(16), 'hex'));

/** Points that decode on ed25519 but lie outside the prime-order subgroup, and encodings that are not canonical. */
export const smallOrderPoints = [
  ['the identity', '0100000000000000000000000000000000000000000000000000000000000000'],
  ['of order 2', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ['of order 4', '0000000000000000000000000000000000000000000000000000000000000000'],
  ['of order 4, the other', '0000000000000000000000000000000000000000000000000000000000000080'],
  ['of order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
  ['of order 8, another', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
  ['the identity, not canonical', 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ['zero, not canonical', 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ['the base point plus a point of order 2', '9599999999999999999999999999999999999999999999999999999999999999'],
].map(([name = '', hex = '']) => ({ name, point: new Uint8Array(Buffer.from(hex, 'hex')) }));

/** What is dear is made when the first case wants it. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

export function flipBit(bytes: Uint8Array, at: number): Uint8Array {
  const index = at < 0 ? bytes.length + at : at;
  return bytes.with(index, (bytes[index] ?? 0) ^ 1);
}

/** Replaces the part that begins at `at`. */
export function splice(bytes: Uint8Array, at: number, part: Uint8Array): Uint8Array {
  return concat(bytes.subarray(0, at), part, bytes.subarray(at + part.length));
}

/** Acts on what the corrupt participant sends to the victim in one round; all else arrives as it was sent. */
export function inRound(round: string, act: Relay): Relay {
  return (envelope) => (envelope.round === round && envelope.from === corrupt && envelope.to === victim ? act(envelope) : envelope);
}

/**
 * The same towards everybody, and faithfully so: in later rounds the corrupt participant echoes what it did send, not what its honest
 * program believes to have sent.
 */
export function toEverybody(round: string, act: Relay): Relay {
  let entries: { honest: Uint8Array; actual: Uint8Array } | undefined;
  return (envelope) => {
    if (envelope.from !== corrupt) return envelope;
    if (envelope.round === round) {
      const lie = act(envelope);
      if (lie) entries = { honest: echoEntry(envelope.toAll), actual: echoEntry(lie.toAll) };
      return lie;
    }
    const at = entries ? Buffer.from(envelope.message).indexOf(entries.honest) : -1;
    return entries && at >= 0 ? envelope.signed(splice(envelope.message, at, entries.actual)) : envelope;
  };
}

/** What an echo says of a message: its hash and its signature. */
function echoEntry(toAll: Uint8Array): Uint8Array {
  return concat(createHash('sha256').update(toAll.subarray(64)).digest(), toAll.subarray(0, 64));
}

/** The corrupt participant confirms whatever the receiver confirms, so that no last check saves what an earlier one let pass. */
export function confirming(round: string, relay: Relay): Relay {
  return (envelope) => {
    if (envelope.from !== corrupt || envelope.round !== round) return relay(envelope);
    return envelope.signed(envelope.sent(envelope.to, corrupt).toAll.subarray(64));
  };
}

/** Remembers what the corrupt participant sent to the victim in one round, and delivers it again in later sessions. */
export function replaying(round: string): Relay {
  let recorded: Received | undefined;
  return inRound(round, (envelope) => {
    const replayed = recorded ?? envelope;
    recorded ??= { toAll: envelope.toAll, toMe: envelope.toMe };
    return replayed;
  });
}

/** An attack by who has the relay, and perhaps the corrupt participant's keys as well. */
export interface RelayAttack {
  readonly attack: Attack;
  readonly name: string;
  readonly relay: Relay;
}

/** What any relay can do to any message of a round, whatever the protocol. The corrupt participant seems to be the one who did it. */
export function relayAttacks(round: string): RelayAttack[] {
  const attack = (kind: Attack, name: string, act: Relay): RelayAttack => ({ attack: kind, name, relay: inRound(round, act) });
  return [
    attack('dropped', '', () => undefined),
    attack('wrong length', 'empty', (e) => ({ ...e, toAll: new Uint8Array(0) })),
    attack('wrong length', 'cut off', (e) => ({ ...e, toAll: e.toAll.subarray(0, -1) })),
    attack('wrong length', 'prolonged', (e) => ({ ...e, toAll: concat(e.toAll, Uint8Array.of(0)) })),
    attack('wrong length', 'only a signature, cut off', (e) => ({ ...e, toAll: e.toAll.subarray(0, 40) })),
    attack('wrong length', 'signed, but of no length that is known', (e) => e.signed(concat(e.message, Uint8Array.of(0)))),
    attack('wrong length', 'signed, but empty', (e) => e.signed(new Uint8Array(0))),
    attack('bit flipped', 'the first of the signature', (e) => ({ ...e, toAll: flipBit(e.toAll, 0) })),
    attack('bit flipped', 'the last of the signature', (e) => ({ ...e, toAll: flipBit(e.toAll, 63) })),
    attack('bit flipped', 'the first of the message', (e) => ({ ...e, toAll: flipBit(e.toAll, 64) })),
    attack('bit flipped', 'the last of the message', (e) => ({ ...e, toAll: flipBit(e.toAll, -1) })),
    attack('wrong sender', 'another participant’s message', (e) => ({ ...e, toAll: e.sent(3, victim).toAll })),
    attack('wrong sender', 'the victim’s own message', (e) => ({ ...e, toAll: e.sent(victim, corrupt).toAll })),
  ];
}

/** What any relay can do to the boxes of a round. */
export function boxAttacks(round: string): RelayAttack[] {
  const attack = (kind: Attack, name: string, act: (toMe: Uint8Array) => Uint8Array): RelayAttack => ({
    attack: kind,
    name,
    relay: inRound(round, (e) => ({ ...e, toMe: act(e.toMe) })),
  });
  return [
    attack('dropped', 'the box', () => new Uint8Array(0)),
    attack('bit flipped', 'of the signature of the box', (toMe) => flipBit(toMe, 0)),
    attack('bit flipped', 'of the ciphertext', (toMe) => flipBit(toMe, 64)),
    attack('bit flipped', 'of the ephemeral key', (toMe) => flipBit(toMe, -1)),
    attack('wrong length', 'the box cut off', (toMe) => toMe.subarray(0, -1)),
    {
      attack: 'wrong sender',
      name: 'the box of another participant',
      relay: inRound(round, (e) => ({ ...e, toMe: e.sent(3, victim).toMe })),
    },
    {
      attack: 'wrong sender',
      name: 'the box for another participant',
      relay: inRound(round, (e) => ({ ...e, toMe: e.sent(corrupt, 3).toMe })),
    },
  ];
}

/** What a corrupt dealer can seal in place of a share over secp256k1. */
export function shareAttacks(round: string): RelayAttack[] {
  const attack = (kind: Attack, name: string, change: (share: Uint8Array) => Uint8Array): RelayAttack => ({
    attack: kind,
    name,
    relay: inRound(round, (e) => e.sealed(change)),
  });
  return [
    attack('wrong value', 'a share off the polynomial', (share) => flipBit(share, 31)),
    attack('wrong value', 'a share of zero', () => new Uint8Array(32)),
    attack('scalar out of range', 'a share', () => orderAsScalar),
    attack('wrong length', 'a share of 31 bytes', (share) => share.subarray(1)),
    attack('wrong length', 'a share of 33 bytes', (share) => concat(share, Uint8Array.of(0))),
    attack('wrong length', 'an empty share', () => new Uint8Array(0)),
  ];
}

/** The next scalar. */
export function oneMore(keyType: KeyType, scalar: Uint8Array): Uint8Array {
  const group = groupOf(keyTypes[keyType].curve);
  return group.encodeScalar((group.decodeScalar(scalar) + 1n) % group.order);
}

/**
 * Nobody among `mustFail` ends with a result, and whoever noticed the attack, rather than the silence of one who had noticed, names
 * exactly `culprits`. What the corrupt participant itself says does not count.
 */
export function expectCaught<T>(
  results: ReadonlyMap<number, PromiseSettledResult<T>>,
  { mustFail, culprits }: { mustFail: readonly number[]; culprits: readonly number[] },
): void {
  for (const participant of mustFail) expect(results.get(participant)?.status, `participant ${participant}`).toBe('rejected');
  const reasons = [...results].flatMap(([participant, result]) =>
    result.status === 'rejected' ? [{ participant, reason: result.reason }] : [],
  );
  for (const { reason } of reasons) expect(reason).toBeInstanceOf(Abort);
  const noticed = reasons.filter(({ participant, reason }) => participant !== corrupt && !(reason as Abort).message.includes('is gone'));
  expect(noticed.length).toBeGreaterThan(0);
  for (const { participant, reason } of noticed) {
    expect((reason as Abort).culprits, `named by participant ${participant}: ${(reason as Abort).message}`).toEqual(culprits);
  }
}

/** The Abort that `attempt` throws. */
export function abortOf(attempt: () => unknown): Abort {
  try {
    attempt();
  } catch (error) {
    if (error instanceof Abort) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
