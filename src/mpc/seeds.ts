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
import { sha256 } from '../crypto/hash.ts';
import { compareEcho, cut, cutEvenly, digestBytes, echoBytes, echoOf, encodeNumbers, exchangeSigned, reading } from './messages.ts';
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
  const { index, participants } = party;
  assertParticipants(participants, threshold);
  const setting = { party, threshold };

  const mine = heldBy(setting, index).map((without) => ({ without, contribution: new Uint8Array(randomBytes(seedBytes)) }));
  const commitments = mine.map(({ without, contribution }) => commitmentTo(party, index, without, contribution));
  const round1 = await exchangeSigned(party, 'seeds/contribute', concat(...commitments), sealedContributions(party, mine));

  // By set, the contributions of all holders, in their order.
  const contributions = new Map(mine.map(({ without }): [string, Uint8Array[]] => [without.join(), []]));
  for (const [from, { message, toMe }] of round1) {
    const theirs = from === index ? mine : readContributions(setting, from, message, toMe);
    for (const { without, contribution } of theirs) contributions.get(without.join())?.push(contribution);
  }
  const keys = mine.map(({ without }) => ({ without, key: jointKey(party, without, contributions.get(without.join()) ?? []) }));
  for (const part of [...contributions.values()].flat()) part.fill(0);

  const echo = echoOf(round1);
  const round2 = await exchangeSigned(party, 'seeds/confirm', concat(echo, ...keys.map(({ key }) => confirmationOf(party, key))));
  for (const [from, { message }] of round2) {
    if (from !== index) checkConfirmation(setting, from, message, { echo, keys });
  }
  return { index, threshold, participants, keys };
}

interface Setting {
  readonly party: Party;
  readonly threshold: number;
}

interface Contribution {
  readonly without: readonly number[];
  readonly contribution: Uint8Array;
}

/** To each of the others what it needs: the contributions to the seeds that it holds, too. */
function sealedContributions(party: Party, mine: readonly Contribution[]): ReadonlyMap<number, Uint8Array> {
  return new Map(
    party.participants
      .filter((to) => to !== party.index)
      .map((to) => {
        const plaintext = concat(...mine.filter(({ without }) => !without.includes(to)).map(({ contribution }) => contribution));
        try {
          return [to, party.sealTo(to, 'seeds/contribute', plaintext)];
        } finally {
          plaintext.fill(0);
        }
      }),
  );
}

/** The contributions of `from` to the seeds that both hold, each checked against its commitment. */
function readContributions(setting: Setting, from: number, message: Uint8Array, box: Uint8Array): readonly Contribution[] {
  const { party } = setting;
  const opened = party.openFrom(from, 'seeds/contribute', box);
  return reading(from, 'seeds/contribute', () => {
    const sets = heldBy(setting, from);
    const committed = cutEvenly(message, digestBytes, sets.length);
    const commitments = new Map(sets.map((without, at) => [without.join(), committed[at]]));
    const shared = heldBy(setting, from, party.index);
    return cutEvenly(opened, seedBytes, shared.length).map((contribution, at) => {
      const without = shared[at] ?? [];
      if (!equal(commitmentTo(party, from, without, contribution), commitments.get(without.join()) ?? new Uint8Array(0))) {
        throw new Error('a contribution differs from its commitment');
      }
      return { without, contribution };
    });
  });
}

/** K_A. */
function jointKey({ sessionId }: Party, without: readonly number[], contributions: readonly Uint8Array[]): Uint8Array {
  const input = lengthPrefixed(utf8('countersign/seeds/key/v1'), sessionId, encodeNumbers(without), ...contributions);
  try {
    return sha256(input);
  } finally {
    input.fill(0);
  }
}

function checkConfirmation(setting: Setting, from: number, message: Uint8Array, own: { echo: Uint8Array; keys: Seeds['keys'] }): void {
  const { party } = setting;
  const sets = heldBy(setting, from).map((without) => without.join());
  const [echo, ...confirmations] = reading(from, 'seeds/confirm', () => cut(message, [echoBytes(party), ...sets.map(() => digestBytes)]));
  compareEcho(party, 'seeds/contribute', own.echo, from, echo ?? new Uint8Array(0));
  for (const { without, key } of own.keys) {
    const at = sets.indexOf(without.join());
    if (at >= 0 && !equal(confirmationOf(party, key), confirmations[at] ?? new Uint8Array(0))) {
      throw new Abort([from], `seeds/confirm: participant ${from} confirms another seed`);
    }
  }
}

/** Binding, and hiding since the contribution is 32 random bytes. */
function commitmentTo({ sessionId }: Party, from: number, without: readonly number[], contribution: Uint8Array): Uint8Array {
  return sha256(lengthPrefixed(utf8('countersign/seeds/commitment/v1'), sessionId, u32(from), encodeNumbers(without), contribution));
}

function confirmationOf({ sessionId }: Party, key: Uint8Array): Uint8Array {
  return createHmac('sha256', key)
    .update(lengthPrefixed(utf8('countersign/seeds/confirm/v1'), sessionId))
    .digest();
}

/** The sets of the seeds that all the given participants hold. */
function heldBy({ party, threshold }: Setting, ...holders: readonly number[]): readonly (readonly number[])[] {
  return setsWithout(party.participants, threshold, holders);
}

/** For storing, sealed: version ‖ index ‖ threshold ‖ n ‖ participants (four bytes each) ‖ keys in order. */
export function encodeSeeds({ index, threshold, participants, keys }: Seeds): Uint8Array {
  const header = [encodingVersion, index, threshold, participants.length, ...participants];
  return concat(encodeNumbers(header), ...keys.map(({ key }) => key));
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
