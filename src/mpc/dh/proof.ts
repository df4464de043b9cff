/**
 * Proof that two points have the same discrete logarithm, X = x·G and Y = x·P: Chaum and Pedersen (CRYPTO 1992), made non-interactive
 * by a hash.
 *
 *   k random, A = k·G, B = k·P, c = H(P, X, Y, A, B), s = k + c·x        the proof is c ‖ s, 32 bytes each
 * @module
 */

import { randomBytes } from 'node:crypto';
import { concat } from '../../base/bytes.ts';
import type { Point } from '../../crypto/groups/group.ts';
import { groupOf } from '../../crypto/groups/index.ts';
import { hashToScalar } from '../hashToScalar.ts';
import { cut } from '../messages.ts';
import { mod } from '../shamir.ts';

export const proofBytes = 64;

/** Points, encoded; every one has its only encoding. */
export interface Statement {
  readonly P: Uint8Array;
  readonly X: Uint8Array;
  readonly Y: Uint8Array;
}

const group = groupOf('secp256k1');
const hashNonce = hashToScalar('secp256k1', 'COUNTERSIGN-dleq-v1nonce');
const hashChallenge = hashToScalar('secp256k1', 'COUNTERSIGN-dleq-v1chal');

/** k = H(32 random bytes ‖ x ‖ P): unpredictable as long as the generator or the share is. */
export function prove(statement: Statement, P: Point, secret: Uint8Array): Uint8Array {
  const x = group.decodeScalar(secret);
  const k = hashNonce(randomBytes(32), secret, statement.P);
  const A = group.encodePoint(group.multiplyBase(k));
  const B = group.encodePoint(group.multiply(P, k));
  const c = challenge(statement, A, B);
  return concat(group.encodeScalar(c), group.encodeScalar((k + c * x) % group.order));
}

/**
 * A = s·G − c·X and B = s·P − c·Y hash to c.
 * @throws {Error} if they do not, or the proof is malformed
 */
export function verify({ encoded, P, X, Y }: { encoded: Statement; P: Point; X: Point; Y: Point }, proof: Uint8Array): void {
  const [c = 0n, s = 0n] = cut(proof, [32, 32]).map((part) => group.decodeScalar(part));
  const scalars = [s, mod(-c, group.order)];
  const A = group.encodePoint(group.linearCombination(scalars, [group.base, X]));
  const B = group.encodePoint(group.linearCombination(scalars, [P, Y]));
  if (challenge(encoded, A, B) !== c) throw new Error('the proof does not hold');
}

function challenge({ P, X, Y }: Statement, A: Uint8Array, B: Uint8Array): bigint {
  return hashChallenge(P, X, Y, A, B);
}
