/**
 * What attackers do to messages, by name; and what must be true afterwards.
 * @module
 */

import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { concat } from '../../../src/base/bytes.ts';
import { Abort } from '../../../src/base/errors.ts';
import type { Received } from '../../../src/mpc/party.ts';
import type { Relay } from '../memoryParty.ts';

/** The corrupt participant of the attacks, and the one who must notice. */
export const corrupt = 2;
export const victim = 1;

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

/** What any relay can do to any message of a round, whatever the protocol. The corrupt participant seems to be the one who did it. */
export function relayAttacks(round: string): { name: string; relay: Relay }[] {
  return [
    { name: `${round}: dropped`, relay: inRound(round, () => undefined) },
    { name: `${round}: empty`, relay: inRound(round, (e) => ({ ...e, toAll: new Uint8Array(0) })) },
    { name: `${round}: first bit of the signature flipped`, relay: inRound(round, (e) => ({ ...e, toAll: flipBit(e.toAll, 0) })) },
    { name: `${round}: last bit of the signature flipped`, relay: inRound(round, (e) => ({ ...e, toAll: flipBit(e.toAll, 63) })) },
    { name: `${round}: first bit of the message flipped`, relay: inRound(round, (e) => ({ ...e, toAll: flipBit(e.toAll, 64) })) },
    { name: `${round}: last bit of the message flipped`, relay: inRound(round, (e) => ({ ...e, toAll: flipBit(e.toAll, -1) })) },
    { name: `${round}: cut off`, relay: inRound(round, (e) => ({ ...e, toAll: e.toAll.subarray(0, -1) })) },
    { name: `${round}: prolonged`, relay: inRound(round, (e) => ({ ...e, toAll: concat(e.toAll, Uint8Array.of(0)) })) },
    { name: `${round}: only a signature, cut off`, relay: inRound(round, (e) => ({ ...e, toAll: e.toAll.subarray(0, 40) })) },
    { name: `${round}: another participant’s message`, relay: inRound(round, (e) => ({ ...e, toAll: e.sent(3, victim).toAll })) },
    { name: `${round}: the victim’s own message`, relay: inRound(round, (e) => ({ ...e, toAll: e.sent(victim, corrupt).toAll })) },
    {
      name: `${round}: signed, but of no length that is known`,
      relay: inRound(round, (e) => e.signed(concat(e.message, Uint8Array.of(0)))),
    },
    { name: `${round}: signed, but empty`, relay: inRound(round, (e) => e.signed(new Uint8Array(0))) },
  ];
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
