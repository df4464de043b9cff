/**
 * A key that comes from elsewhere, as shares of a sharing that its owner has made: everybody here holds f(i) of a polynomial of any degree
 * below their number, and the points of all. It is dealt anew to the threshold of the cluster, so that it becomes a key like any other, of
 * which its owner's polynomial says nothing more; the secret itself is nowhere on the way.
 *
 *   import/commit   to all: hash of the sharing that was handed in here, commitment to the chain code contribution; signed
 *   import/reveal   to all: echo of the commitments, chain code contribution; signed
 *
 * and then `reshare`. The chain code is made here, jointly: none comes with the key.
 * @module
 */

import { concat, equal, lengthPrefixed, utf8 } from '../base/bytes.ts';
import { Refusal } from '../base/errors.ts';
import { type KeyType, keyTypes } from '../base/keyTypes.ts';
import type { Group, Point } from '../crypto/groups/group.ts';
import { groupOf } from '../crypto/groups/index.ts';
import { sha256 } from '../crypto/hash.ts';
import { contributionCommitment, jointChainCode, newContribution, revealOf } from './chainCode.ts';
import { interpolation } from './exponent.ts';
import type { KeyShare } from './keyShare.ts';
import { cut, digestBytes, encodeNumbers, exchangeSigned, reading } from './messages.ts';
import type { Party } from './party.ts';
import { reshare } from './reshare.ts';

/** What the owner has handed in to one participant. */
export interface HandedIn {
  /** f(i), 32 bytes as the group encodes scalars: overwritten when it is read. */
  readonly secret: Uint8Array;
  /** f(1)·G, f(2)·G …, encoded. */
  readonly publicShares: readonly Uint8Array[];
}

/**
 * @param wanted.threshold  of the key that comes of it
 * @param wanted.minSigners how many shares the owner says determine the key: one more than the degree of f
 * @param wanted.numbers    by participant: i, from 1 to the number of participants
 * @returns this participant's share; every other participant has confirmed to hold its own
 * @throws {Refusal} BadRequest when what was handed in is not a sharing: the owner's fault, as far as one can tell here
 * @throws {Abort} as `reshare`
 */
export async function importShare(
  party: Party,
  wanted: { keyType: KeyType; threshold: number; minSigners: number; numbers: ReadonlyMap<number, number>; handedIn: HandedIn },
): Promise<KeyShare> {
  const { keyType, threshold, minSigners, numbers, handedIn } = wanted;
  const { index, participants } = party;
  const publicKey = sharedKey(keyType, { ...wanted, number: numbers.get(index) ?? 0 });

  const contribution = newContribution();
  const said = sharingHash(keyType, minSigners, handedIn);
  const round1 = await exchangeSigned(party, 'import/commit', concat(said, contributionCommitment(party, index, contribution)));
  const commitments = new Map<number, Uint8Array>();
  for (const [from, { message }] of round1) {
    const [theirs, commitment] = reading(from, 'import/commit', () => cut(message, [digestBytes, digestBytes]));
    if (!theirs || !commitment || !equal(theirs, said)) {
      throw new Refusal('BadRequest', `the public shares that went to participant ${from} are others than those that went to ${index}`);
    }
    commitments.set(from, commitment);
  }
  const round2 = await exchangeSigned(party, 'import/reveal', revealOf(round1, contribution));
  const rounds = { committed: { name: 'import/commit', round: round1 }, revealed: { name: 'import/reveal', round: round2 } };
  const chainCode = jointChainCode(party, rounds, commitments);

  const verificationShares = new Map(handedIn.publicShares.map((share, at) => [at + 1, share]));
  const { share } = await reshare(party, {
    keyType,
    dealers: participants,
    oldNumbers: numbers,
    threshold,
    participants,
    old: {
      keyType,
      threshold: minSigners - 1,
      participants: [...verificationShares.keys()],
      publicKey,
      verificationShares,
      chainCode,
    },
    secret: handedIn.secret,
  });
  if (share === undefined) throw new Error('whoever takes part holds a share');
  return share;
}

/** f(0)·G. @throws {Refusal} BadRequest */
function sharedKey(
  keyType: KeyType,
  {
    minSigners,
    numbers,
    number,
    handedIn,
  }: { minSigners: number; numbers: ReadonlyMap<number, number>; number: number; handedIn: HandedIn },
): Uint8Array {
  const group = groupOf(keyTypes[keyType].curve);
  const { secret, publicShares } = handedIn;
  if (publicShares.length !== numbers.size) {
    throw new Refusal('BadRequest', `there are ${publicShares.length} public shares for ${numbers.size} signers`);
  }
  if (minSigners < 2 || minSigners > publicShares.length) {
    throw new Refusal('BadRequest', `minSigners is from 2 to ${publicShares.length}, the number of signers`);
  }
  const points = publicShares.map((share, at) => pointOf(group, share, at + 1));
  if (!group.equals(group.multiplyBase(scalarOf(group, secret)), points[number - 1] ?? group.identity)) {
    throw new Refusal('BadRequest', `the share of signer number ${number} does not belong to its public share`);
  }
  const participants = points.map((_, at) => at + 1);
  const atZero = interpolation({ group, participants, degree: minSigners - 1 }).atZero(points);
  if (atZero === undefined || group.isIdentity(atZero)) {
    throw new Refusal('BadRequest', `not any ${minSigners} of the public shares make the same key`);
  }
  return group.encodePoint(atZero);
}

function pointOf(group: Group, encoded: Uint8Array, number: number): Point {
  try {
    return group.decodePoint(encoded);
  } catch (cause) {
    throw new Refusal('BadRequest', `public share number ${number} is no point of ${group.curve}`, { cause });
  }
}

function scalarOf(group: Group, secret: Uint8Array): bigint {
  try {
    return group.decodeScalar(secret);
  } catch (cause) {
    throw new Refusal('BadRequest', 'a share is a scalar below the order of its curve', { cause });
  }
}

function sharingHash(keyType: KeyType, minSigners: number, { publicShares }: HandedIn): Uint8Array {
  return sha256(lengthPrefixed(utf8('countersign/import/sharing/v1'), utf8(keyType), encodeNumbers([minSigners]), ...publicShares));
}
