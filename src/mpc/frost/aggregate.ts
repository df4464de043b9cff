/**
 * FROST, the coordinator's end: the signature from its shares (RFC 9591 §5.3), and who spoilt it (§5.4).
 * @module
 */

import { Abort } from '../../base/errors.ts';
import type { Payload, Signature } from '../../crypto/schemes/scheme.ts';
import { reading } from '../messages.ts';
import { mod } from '../shamir.ts';
import type { Ciphersuite, SigningKey } from './ciphersuite.ts';
import type { Commitment } from './commit.ts';
import { type GroupCommitment, groupCommitment } from './groupCommitment.ts';

/**
 * @param use.publicKey          the key as generated; Schnorr: the internal key
 * @param use.verificationShares by participant, of at least those who sign
 * @param use.shares             z_i by participant, of exactly those who committed
 * @param use.R                  as one of the signers says it: saves computing it, which costs as much as all the rest. Nothing rests on
 *                               it: a signature that does not verify with it is tried with the R that the commitments give
 * @returns the signature, verified
 * @throws {Abort} naming whose share is missing, malformed or wrong. Shares are checked one by one only after the signature turned out bad
 */
export function aggregate(use: {
  suite: Ciphersuite;
  publicKey: Uint8Array;
  verificationShares: ReadonlyMap<number, Uint8Array>;
  commitments: ReadonlyMap<number, Commitment>;
  shares: ReadonlyMap<number, Uint8Array>;
  payload: Payload;
  R?: Uint8Array | undefined;
}): Signature {
  const { suite, publicKey, commitments, shares, payload } = use;
  const { group } = suite;
  const z = new Map(
    [...commitments.keys()].map((i) => [i, reading(i, 'frost', () => group.decodeScalar(shares.get(i) ?? new Uint8Array(0)))]),
  );
  const sum = [...z.values()].reduce((a, b) => (a + b) % group.order, 0n);
  const s = group.encodeScalar(sum);
  const signatureWith = (R: Uint8Array) => ({ r: suite.signatureR(R), s });
  if (use.R?.length === group.pointBytes) {
    const signature = signatureWith(use.R);
    if (suite.scheme.verify(publicKey, payload, signature)) return signature;
  }

  const key = suite.signingKey(publicKey, payload);
  const common = groupCommitment({ suite, key, commitments, message: payload.bytes });
  const signature = signatureWith(common.R);
  if (suite.scheme.verify(publicKey, payload, signature)) return signature;

  const culprits = [...z].filter(([i, share]) => !isGood(i, share)).map(([i]) => i);
  throw new Abort(culprits, 'frost: the signature does not verify');

  function isGood(i: number, share: bigint): boolean {
    const verificationShare = use.verificationShares.get(i);
    const commitment = commitments.get(i);
    return (
      verificationShare !== undefined &&
      commitment !== undefined &&
      verifyShare({ suite, key, common, participant: i, commitment, verificationShare, share })
    );
  }
}

/** z_i·G = ±(D_i + ρ_i·E_i) + λ_i·c·X_i, with X_i moved to the key that is signed with. */
export function verifyShare(claim: {
  suite: Ciphersuite;
  key: SigningKey;
  common: GroupCommitment;
  participant: number;
  commitment: Commitment;
  verificationShare: Uint8Array;
  share: bigint;
}): boolean {
  const { suite, key, common, participant, commitment, verificationShare, share } = claim;
  const { group } = suite;
  const weight = (common.lambda(participant) * common.c) % group.order;
  const nonceSign = common.negated ? -1n : 1n;
  const rho = common.bindingFactors.get(participant) ?? 0n;
  const scalars = [nonceSign, nonceSign * rho, weight * key.sign, weight * key.tweak].map((scalar) => mod(scalar, group.order));
  const points = [commitment.hiding, commitment.binding, verificationShare].map((point) => group.decodePoint(point));
  return group.equals(group.multiplyBase(share), group.linearCombination(scalars, [...points, group.base]));
}
