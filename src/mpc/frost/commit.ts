/**
 * FROST, round one: a signer commits to two nonces (RFC 9591 §5.1).
 * @module
 */

import { randomBytes } from 'node:crypto';
import { joined, OneUse } from '../oneUse.ts';
import type { Ciphersuite } from './ciphersuite.ts';

/** Points, encoded. */
export interface Commitment {
  /** D = d·G */
  readonly hiding: Uint8Array;
  /** E = e·G */
  readonly binding: Uint8Array;
}

/** Serves one signature. Kept in memory only. */
export interface Nonces {
  readonly commitment: Commitment;
  /** d ‖ e, 32 bytes each. */
  readonly secrets: OneUse;
}

/**
 * d and e are H3(32 random bytes ‖ secret): unpredictable as long as the generator or the secret is (RFC 9591 §4.1).
 *
 * Commitments may be made and shown long before there is a message, for any key of the suite: what they come to serve, key, message and
 * everybody's commitments, goes into the binding factors (docs/protocols.md).
 *
 * @param secret of this signer alone, 32 bytes: a share of a key, or another that lives as long
 * @param random 32 random bytes for d, then 32 for e; given by tests of published vectors only
 */
export function commit({ suite, secret, random = randomBytes(64) }: { suite: Ciphersuite; secret: Uint8Array; random?: Uint8Array }): {
  nonces: Nonces;
  commitment: Commitment;
} {
  const { group } = suite;
  const [d, e] = [random.subarray(0, 32), random.subarray(32)].map((randomness) => suite.H3(randomness, secret)) as [bigint, bigint];
  const commitmentTo = (nonce: bigint) => group.encodePoint(group.multiplyBase(nonce));
  const commitment = { hiding: commitmentTo(d), binding: commitmentTo(e) };
  const nonces = { commitment, secrets: new OneUse('nonces', joined(group.encodeScalar(d), group.encodeScalar(e))) };
  return { nonces, commitment };
}

/** For nonces that will not be used. */
export function wipeNonces({ secrets }: Nonces): void {
  secrets.wipe();
}
