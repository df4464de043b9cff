/**
 * The replicated seeds of pseudo-random secret sharing (prss.ts): for every set A of t participants a seed K_A, held by everybody
 * outside A. Whichever t signers are corrupt, there is one seed that none of them holds.
 *
 * Made once per cluster, jointly: each holder of K_A contributes 32 random bytes, and the seed is a hash of all contributions.
 *
 *   seeds/contribute   to all: a commitment to each of my contributions, signed. To each: its contributions, sealed
 *   seeds/confirm      to all: echo of the commitments, and for each K_A that I hold HMAC(K_A, session), signed
 * @module
 */

import { createHmac, randomBytes } from 'node:crypto';
import { concat, equal, lengthPrefixed, u32, utf8 } from '../base/bytes.ts';
import { Abort, assert } from '../base/errors.ts';
import { compareEcho, cut, cutEvenly, digestBytes, echoBytes, echoOf, exchangeSigned, reading, sha256 } from './messages.ts';
import type { Party } from './party.ts';
import { assertParticipants, subsetsOf } from './shamir.ts';

export interface Seeds {
  /** Own participant number. */
  readonly index: number;
  readonly threshold: number;
  /** All participants of the cluster, ascending. */
  readonly participants: readonly number[];
  /** One for each set of `threshold` participants without `index`, in lexicographic order of the sets. */
  readonly keys: readonly { readonly without: readonly number[]; readonly key: Uint8Array }[];
}

const seedBytes = 32;
const encodingVersion = 1;

/**
 * @throws {Abort} naming who contributed differently than it committed, sent different commitments to different participants, or
 * confirms another seed
 */
export async function setUpSeeds(party: Party, { threshold }: { threshold: number }): Promise<Seeds> {
  const { index, participants, sessionId } = party;
  assertParticipants(participants, threshold);
  const held = (...holders: readonly number[]) => setsWithout(participants, threshold, holders);
  const commitment = (from: number, without: readonly number[], contribution: Uint8Array) =>
    sha256(lengthPrefixed(utf8('countersign/seeds/commitment/v1'), sessionId, u32(from), numbers(without), contribution));

  const mine = held(index).map((without) => ({ without, contribution: new Uint8Array(randomBytes(seedBytes)) }));
  const contributionsFor = (to: number) => mine.filter(({ without }) => !without.includes(to)).map(({ contribution }) => contribution);
  const boxes = participants
    .filter((to) => to !== index)
    .map((to): [number, Uint8Array] => [
      to,
      wiping(concat(...contributionsFor(to)), (plain) => party.sealTo(to, 'seeds/contribute', plain)),
    ]);

  const round1 = await exchangeSigned(
    party,
    'seeds/contribute',
    concat(...mine.map(({ without, contribution }) => commitment(index, without, contribution))),
    new Map(boxes),
  );

  // Contributions by the set they are for; those of one participant first to last, since the hash below takes them in that order.
  const contributions = new Map<string, Uint8Array[]>(mine.map(({ without }) => [without.join(), []]));
  for (const [from, { message, toMe }] of round1) {
    const shared = held(index, from);
    const opened =
      from === index ? concat(...mine.map(({ contribution }) => contribution)) : party.openFrom(from, 'seeds/contribute', toMe);
    reading(from, 'seeds/contribute', () => {
      const committed = cutEvenly(message, digestBytes, held(from).length);
      const commitmentTo = new Map(held(from).map((without, at) => [without.join(), committed[at]]));
      for (const [at, contribution] of cutEvenly(opened, seedBytes, shared.length).entries()) {
        const without = shared[at] ?? [];
        if (!equal(commitment(from, without, contribution), commitmentTo.get(without.join()) ?? new Uint8Array(0))) {
          throw new Error('a contribution to a seed that differs from its commitment');
        }
        contributions.get(without.join())?.push(contribution);
      }
    });
  }

  const keys = held(index).map((without) => {
    const parts = contributions.get(without.join()) ?? [];
    assert(parts.length === participants.length - threshold, 'every holder of a seed contributes to it');
    const key = wiping(lengthPrefixed(utf8('countersign/seeds/key/v1'), sessionId, numbers(without), ...parts), sha256);
    for (const part of parts) part.fill(0);
    return { without, key };
  });

  const confirmationOf = (key: Uint8Array) =>
    createHmac('sha256', key)
      .update(lengthPrefixed(utf8('countersign/seeds/confirm/v1'), sessionId))
      .digest();
  const echo = echoOf(round1);
  const round2 = await exchangeSigned(party, 'seeds/confirm', concat(echo, ...keys.map(({ key }) => confirmationOf(key))));
  for (const [from, { message }] of round2) {
    if (from === index) continue;
    const theirs = held(from);
    const [theirEcho, ...confirmations] = reading(from, 'seeds/confirm', () =>
      cut(message, [echoBytes(party), ...theirs.map(() => digestBytes)]),
    );
    compareEcho(party, 'seeds/contribute', echo, from, theirEcho ?? new Uint8Array(0));
    for (const { without, key } of keys) {
      const at = theirs.findIndex((set) => set.join() === without.join());
      if (at >= 0 && !equal(confirmationOf(key), confirmations[at] ?? new Uint8Array(0))) {
        throw new Abort([from], `seeds/confirm: participant ${from} confirms another seed`);
      }
    }
  }

  return { index, threshold, participants, keys };
}

/** For storing, sealed: version ‖ index ‖ threshold ‖ n ‖ participants (four bytes each) ‖ keys in order. */
export function encodeSeeds({ index, threshold, participants, keys }: Seeds): Uint8Array {
  const header = [encodingVersion, index, threshold, participants.length, ...participants];
  return concat(...header.map(u32), ...keys.map(({ key }) => key));
}

/** Checks the form only: authenticity is the seal's. The keys are copies. @throws {Error} */
export function decodeSeeds(bytes: Uint8Array): Seeds {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = (at: number) => view.getUint32(4 * at);
  const [version, index, threshold, count] = [number(0), number(1), number(2), number(3)];
  if (version !== encodingVersion) throw new Error(`seeds of an unknown version ${version}`);
  if (bytes.length < 4 * (4 + count)) throw new Error('the seeds are cut off');
  const participants = Array.from({ length: count }, (_, at) => number(4 + at));
  assertParticipants(participants, threshold);
  assert(participants.includes(index), 'the holder of seeds is a participant');
  const sets = setsWithout(participants, threshold, [index]);
  const keys = cutEvenly(bytes.subarray(4 * (4 + count)), seedBytes, sets.length);
  return { index, threshold, participants, keys: sets.map((without, at) => ({ without, key: keys[at]?.slice() ?? new Uint8Array(0) })) };
}

function setsWithout(participants: readonly number[], threshold: number, excluded: readonly number[]): readonly (readonly number[])[] {
  return subsetsOf(participants, threshold).filter((set) => !excluded.some((holder) => set.includes(holder)));
}

function numbers(list: readonly number[]): Uint8Array {
  return concat(...list.map(u32));
}

function wiping<T>(secret: Uint8Array, use: (secret: Uint8Array) => T): T {
  try {
    return use(secret);
  } finally {
    secret.fill(0);
  }
}
