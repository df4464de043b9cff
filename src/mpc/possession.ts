/**
 * Proof that a participant knows the constant term a_0 of its polynomial: a Schnorr proof, as in the key generation of FROST
 * (Komlo, Goldberg 2020, figure 1, round 1, step 2). Without it, a participant could choose its part of the key after seeing the others'.
 *
 *   k random, R = k·G, c = H(i ‖ Φ ‖ C_0 ‖ R), μ = k + a_0·c          the proof is R ‖ μ
 *
 * Φ, the context, is the session, so that a proof serves one session only. With an empty context and the domain of the ciphersuite this
 * is the proof that other implementations of FROST make.
 * @module
 */

import { concat } from '../base/bytes.ts';
import type { KeyType } from '../base/keyTypes.ts';
import type { Group, Point } from '../crypto/groups/group.ts';
import { hashToScalar } from './hashToScalar.ts';
import { cut } from './messages.ts';

export interface Claim {
  readonly group: Group;
  readonly keyType: KeyType;
  /** The participant. */
  readonly i: number;
  readonly context: Uint8Array;
  /** C_0, encoded. */
  readonly commitment: Uint8Array;
}

const domains: Readonly<Record<KeyType, string>> = {
  'ECDSA/secp256k1': 'FROST-secp256k1-SHA256-v1dkg',
  'ECDSA/stark': 'COUNTERSIGN-stark-SHA256-v1dkg',
  'EdDSA/ed25519': 'FROST-ED25519-SHA512-v1dkg',
  'Schnorr/secp256k1': 'FROST-secp256k1-SHA256-TR-v1dkg',
  'DH/secp256k1': 'FROST-secp256k1-SHA256-v1dkg',
};

export function proofBytes(group: Group): number {
  return group.pointBytes + 32;
}

export function provePossession(claim: Claim, a0: bigint): Uint8Array {
  const { group } = claim;
  const k = group.randomScalar();
  const R = group.encodePoint(group.multiplyBase(k));
  return concat(R, group.encodeScalar((k + a0 * challenge(claim, R)) % group.order));
}

/**
 * R = μ·G − c·C_0.
 * @param C0 the decoded commitment
 * @throws {Error} if the proof does not hold or is not of the form
 */
export function verifyPossession(claim: Claim, C0: Point, proof: Uint8Array): void {
  const { group } = claim;
  const [R, mu] = cut(proof, [group.pointBytes, 32]);
  if (R === undefined || mu === undefined) throw new Error('the proof of possession is missing');
  const c = challenge(claim, R);
  const expected = group.linearCombination([group.decodeScalar(mu), group.order - c], [group.base, C0]);
  if (!group.equals(expected, group.decodePoint(R))) throw new Error('the proof of possession does not hold');
}

/** H_DKG; c = 0 comes up with negligible chance only, and would let anything pass. */
function challenge({ group, keyType, i, context, commitment }: Claim, R: Uint8Array): bigint {
  const c = hashToScalar(group.curve, domains[keyType])(group.encodeScalar(BigInt(i)), context, commitment, R);
  if (c === 0n) throw new Error('the challenge is zero');
  return c;
}
