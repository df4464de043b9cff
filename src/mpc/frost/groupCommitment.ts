/**
 * What every signer and the coordinator compute from the commitments of a signing set (RFC 9591 §4.3 to §4.6).
 * @module
 */

import { concat } from '../../base/bytes.ts';
import { Abort } from '../../base/errors.ts';
import type { Point } from '../../crypto/groups/group.ts';
import { reading } from '../messages.ts';
import { lagrangeAtZero } from '../shamir.ts';
import type { Ciphersuite, SigningKey } from './ciphersuite.ts';
import type { Commitment } from './commit.ts';

export interface GroupCommitment {
  /** R = Σ (D_i + ρ_i·E_i), encoded. */
  readonly R: Uint8Array;
  /** The challenge of the signature. */
  readonly c: bigint;
  /** ρ_i, by participant. */
  readonly bindingFactors: ReadonlyMap<number, bigint>;
  /** Whether all nonces count negated. */
  readonly negated: boolean;
  lambda(participant: number): bigint;
}

/**
 * @param commitments of all who sign, by participant
 * @param own         who computes, with its own D + ρ·E as a function of ρ: known from the nonces, it saves a multiplication
 * @throws {Abort} naming whose commitment is not of two points
 */
export function groupCommitment(
  {
    suite,
    key,
    commitments,
    message,
  }: { suite: Ciphersuite; key: SigningKey; commitments: ReadonlyMap<number, Commitment>; message: Uint8Array },
  own?: { index: number; share(bindingFactor: bigint): Point },
): GroupCommitment {
  const { group } = suite;
  const set = [...commitments.keys()].sort((a, b) => a - b);
  if (!set.every((i) => Number.isSafeInteger(i) && i >= 1)) throw new Abort([], 'frost: participants are numbered from 1');
  const identifier = (i: number) => group.encodeScalar(BigInt(i));
  const of = (i: number) => commitments.get(i) ?? { hiding: new Uint8Array(0), binding: new Uint8Array(0) };

  // §4.4: what is hashed is what is decoded below, since each point has one encoding only.
  const list = concat(...set.flatMap((i) => [identifier(i), of(i).hiding, of(i).binding]));
  const prefix = concat(key.publicKey, suite.H4(message), suite.H5(list));
  const bindingFactors = new Map(set.map((i) => [i, suite.H1(concat(prefix, identifier(i)))]));

  const [scalars, points]: [bigint[], Point[]] = [[], []];
  for (const i of set) {
    const rho = bindingFactors.get(i) ?? 0n;
    if (i === own?.index) {
      scalars.push(1n);
      points.push(own.share(rho));
      continue;
    }
    scalars.push(1n, rho);
    points.push(...reading(i, 'frost', () => [group.decodePoint(of(i).hiding), group.decodePoint(of(i).binding)]));
  }
  const R = group.encodePoint(group.linearCombination(scalars, points));
  return {
    R,
    c: suite.challenge(R, key.publicKey, message),
    bindingFactors,
    negated: suite.negatesNonces(R),
    lambda: (participant) => lagrangeAtZero(participant, set, group.order),
  };
}
