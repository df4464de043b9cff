/**
 * What every signer and the coordinator compute from the commitments of a signing set (RFC 9591 §4.3 to §4.6).
 * @module
 */

import { Abort, assert } from '../../base/errors.ts';
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
  const listed = set.map((i) => {
    const { hiding, binding } = commitments.get(i) ?? { hiding: new Uint8Array(0), binding: new Uint8Array(0) };
    return { i, identifier: group.encodeScalar(BigInt(i)), hiding, binding };
  });

  // §4.4: what is hashed is what is decoded below, since each point has one encoding only.
  const [H4, H5] = [suite.H4(message), suite.H5(...listed.flatMap(({ identifier, hiding, binding }) => [identifier, hiding, binding]))];
  const bindingFactors = new Map<number, bigint>();
  const points: Point[] = [];
  for (const { i, identifier, hiding, binding } of listed) {
    const rho = suite.H1(key.publicKey, H4, H5, identifier);
    bindingFactors.set(i, rho);
    if (i === own?.index) points.push(own.share(rho));
    else points.push(...reading(i, 'frost', () => [group.decodePoint(hiding), group.multiplyEncoded(binding, rho)]));
  }
  const R = group.encodePoint(group.add(...points));
  const coefficients = lagrangeAtZero(set, group.order);
  return {
    R,
    c: suite.challenge(R, key.publicKey, message),
    bindingFactors,
    negated: suite.negatesNonces(R),
    lambda(participant) {
      const coefficient = coefficients[set.indexOf(participant)];
      assert(coefficient !== undefined, 'the participant is one of those who sign');
      return coefficient;
    },
  };
}
