/**
 * Messages between participants. They have fixed forms: fields of known sizes, one after another. Whatever does not parse is its
 * sender's fault.
 * @module
 */

import { concat, equal, u32 } from '../base/bytes.ts';
import { Abort, assert, messageOf } from '../base/errors.ts';
import { sha256 } from '../crypto/hash.ts';
import type { Party } from './party.ts';

export const digestBytes = 32;
const signatureBytes = 64;

/** Four bytes each. */
export function encodeNumbers(numbers: readonly number[]): Uint8Array {
  return concat(...numbers.map(u32));
}

/** Cuts into fields of the given sizes, views of the same memory. @throws {Error} unless the sizes fill the bytes exactly */
export function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const expected = sizes.reduce((sum, size) => sum + size, 0);
  if (bytes.length !== expected) throw new Error(`${bytes.length} bytes where ${expected} are due`);
  let at = 0;
  return sizes.map((size) => {
    at += size;
    return bytes.subarray(at - size, at);
  });
}

/** Cuts into pieces of one size. @throws {Error} unless there are exactly `count` of them */
export function cutEvenly(bytes: Uint8Array, size: number, count: number): Uint8Array[] {
  return cut(bytes, Array<number>(count).fill(size));
}

/** Reads what a participant sent. @throws {Abort} naming it when the reading throws */
export function reading<T>(from: number, round: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw cause instanceof Abort
      ? cause
      : new Abort([from], `${round}: the message of participant ${from} is not good: ${messageOf(cause)}`, { cause });
  }
}

/** One participant's message of a round, proven to be its own. */
export interface Signed {
  readonly message: Uint8Array;
  /** The identity-key signature over the SHA-256 of the message: it proves to others, too, what was sent. */
  readonly signature: Uint8Array;
  /** What came for this participant alone; not covered by the signature. */
  readonly toMe: Uint8Array;
}

/**
 * One round in which every message carries its sender's identity signature, so that the relay cannot alter it.
 * @returns everyone's message, own included, in the order of participants
 * @throws {Abort} naming the sender of a message without a good signature
 */
export async function exchangeSigned(
  party: Party,
  round: string,
  message: Uint8Array,
  toEach?: ReadonlyMap<number, Uint8Array>,
): Promise<ReadonlyMap<number, Signed>> {
  const signature = party.sign(round, sha256(message));
  const received = await party.exchange(round, concat(signature, message), toEach);

  return new Map(
    party.participants.map((from): [number, Signed] => {
      if (from === party.index) return [from, { message, signature, toMe: new Uint8Array(0) }];
      const { toAll, toMe } = received.get(from) ?? missing(from, round);
      const theirs = { signature: toAll.subarray(0, signatureBytes), message: toAll.subarray(signatureBytes), toMe };
      if (!party.verify(from, round, sha256(theirs.message), theirs.signature)) {
        throw new Abort([from], `${round}: the message of participant ${from} is not signed by it`);
      }
      return [from, theirs];
    }),
  );
}

/**
 * Echo broadcast (Goldwasser–Lindell 2005): in the round after a signed one, everyone repeats what it received, as hash and signature
 * of each message. Where two views differ, the signatures prove who made the difference: the sender that signed two messages, or the
 * one that claims a message nobody signed.
 */
export function echoOf(round: ReadonlyMap<number, Signed>): Uint8Array {
  return concat(...[...round.values()].flatMap(({ message, signature }) => [sha256(message), signature]));
}

export function echoBytes(party: Party): number {
  return party.participants.length * (digestBytes + signatureBytes);
}

/**
 * Compares another's view of a round with ours.
 * @param round  the name of the round that is echoed, under which its messages were signed
 * @param own    our echo of it
 * @param theirs the echo of participant `from`
 * @throws {Abort} naming who sent different messages to us and to `from`, or `from` if its claim is not proven
 */
export function compareEcho(party: Party, round: string, own: Uint8Array, from: number, theirs: Uint8Array): void {
  const count = party.participants.length;
  const ours = cutEvenly(own, digestBytes + signatureBytes, count);
  const claims = cutEvenly(theirs, digestBytes + signatureBytes, count);
  for (const [at, sender] of party.participants.entries()) {
    const [digest, signature, known] = [
      claims[at]?.subarray(0, digestBytes),
      claims[at]?.subarray(digestBytes),
      ours[at]?.subarray(0, digestBytes),
    ];
    assert(digest && signature && known, 'an echo has a part for each participant');
    if (equal(digest, known)) continue;
    if (sender === party.index || !party.verify(sender, round, digest, signature)) {
      throw new Abort([from], `${round}: participant ${from} claims a message that participant ${sender} did not sign`);
    }
    throw new Abort([sender], `${round}: participant ${sender} sent different messages to different participants`);
  }
}

function missing(from: number, round: string): never {
  throw new Abort([from], `${round}: participant ${from} sent nothing`);
}
