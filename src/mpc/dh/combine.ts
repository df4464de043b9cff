/**
 * The result of a distributed Diffie-Hellman evaluation from its partials.
 * @module
 */

import { Abort, assert } from '../../base/errors.ts';
import type { Point } from '../../crypto/groups/group.ts';
import { groupOf } from '../../crypto/groups/index.ts';
import { sha256 } from '../../crypto/hash.ts';
import { hashToSecp256k1 } from '../../crypto/hashToCurve.ts';
import { cut } from '../messages.ts';
import { lagrangeAtZero } from '../shamir.ts';
import { proofBytes, verify } from './proof.ts';

/**
 * All proofs are checked, always: the result itself has no other.
 *
 * @param use.partials what `evaluate` returned, by participant: t + 1 or more
 * @returns SHA-256 of the compressed x·P
 * @throws {Abort} naming all whose partials are malformed or not proven
 */
export function combine(use: {
  threshold: number;
  publicKey: Uint8Array;
  verificationShares: ReadonlyMap<number, Uint8Array>;
  domain: Uint8Array;
  seed: Uint8Array;
  partials: ReadonlyMap<number, Uint8Array>;
}): Uint8Array {
  const { threshold, publicKey, verificationShares, domain, seed, partials } = use;
  assert(partials.size > threshold, 'more than the threshold evaluate');
  const group = groupOf('secp256k1');
  const encodedP = hashToSecp256k1({ message: seed, domain });
  const P = group.decodePoint(encodedP);

  const culprits: number[] = [];
  const proven = [...partials].flatMap(([i, partial]) => {
    try {
      return [{ i, ...read(partial, verificationShares.get(i)) }];
    } catch {
      culprits.push(i);
      return [];
    }
  });
  if (culprits.length > 0) throw new Abort(culprits, 'dh: a partial result is not proven');

  const chosen = proven.slice(0, threshold + 1);
  const set = chosen.map(({ i }) => i);
  const atZero = (points: readonly Point[]) => group.linearCombination(lagrangeAtZero(set, group.order), points);
  const sharesKey = group.equals(atZero(chosen.map(({ X }) => X)), group.decodePoint(publicKey));
  assert(sharesKey, 'the verification shares are a sharing of the public key');
  return sha256(group.encodePoint(atZero(chosen.map(({ Y }) => Y))));

  /** @throws {Error} */
  function read(partial: Uint8Array, verificationShare: Uint8Array | undefined): { X: Point; Y: Point } {
    const [encodedY, proof] = cut(partial, [group.pointBytes, proofBytes]);
    assert(encodedY && proof && verificationShare, 'a partial has two parts, its participant a verification share');
    const [X, Y] = [group.decodePoint(verificationShare), group.decodePoint(encodedY)];
    verify({ encoded: { P: encodedP, X: verificationShare, Y: encodedY }, P, X, Y }, proof);
    return { X, Y };
  }
}
