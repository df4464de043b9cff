/**
 * A chain code that several make together, by commit and reveal: the hash of everybody's contribution. Nobody chooses it, as long as one of
 * them is honest.
 * @module
 */

import { randomBytes } from 'node:crypto';
import { concat, equal, lengthPrefixed, u32, utf8 } from '../base/bytes.ts';
import { Abort, assert } from '../base/errors.ts';
import { sha256 } from '../crypto/hash.ts';
import { compareEcho, cut, echoBytes, echoOf, reading, type Signed } from './messages.ts';
import type { Party } from './party.ts';

const chainCodeBytes = 32;

type Round = ReadonlyMap<number, Signed>;

export function newContribution(): Uint8Array {
  return new Uint8Array(randomBytes(chainCodeBytes));
}

/** 32 bytes, for a signed round: binds a contribution before others are seen. */
export function contributionCommitment({ sessionId }: Party, from: number, contribution: Uint8Array): Uint8Array {
  return sha256(lengthPrefixed(utf8('countersign/dkg/chain-code-commitment/v1'), sessionId, u32(from), contribution));
}

/** What the next signed round says: the echo of the round of commitments, and the contribution. */
export function revealOf(committed: Round, contribution: Uint8Array): Uint8Array {
  return concat(echoOf(committed), contribution);
}

/**
 * The echoes are compared before anything else of the round is looked at: where two views differ, whatever else goes wrong is the fault of
 * the sender that split them.
 *
 * @param rounds      the two rounds, and their names
 * @param commitments as the first of them has them, by participant
 * @throws {Abort} naming who split the first round, or reveals another contribution than it committed to
 */
export function jointChainCode(
  party: Party,
  { committed, revealed }: { committed: { name: string; round: Round }; revealed: { name: string; round: Round } },
  commitments: ReadonlyMap<number, Uint8Array>,
): Uint8Array {
  const echo = echoOf(committed.round);
  const reveals = [...revealed.round].map(([from, { message }]) => {
    const [theirEcho, reveal] = reading(from, revealed.name, () => cut(message, [echoBytes(party), chainCodeBytes]));
    assert(theirEcho && reveal, 'the message has two parts');
    if (from !== party.index) compareEcho(party, committed.name, echo, from, theirEcho);
    return { from, reveal };
  });
  for (const { from, reveal } of reveals) {
    if (!equal(contributionCommitment(party, from, reveal), commitments.get(from) ?? new Uint8Array(0))) {
      throw new Abort([from], `${revealed.name}: participant ${from} reveals another chain code contribution than it committed to`);
    }
  }
  return sha256(lengthPrefixed(utf8('countersign/dkg/chain-code/v1'), party.sessionId, ...reveals.map(({ reveal }) => reveal)));
}
