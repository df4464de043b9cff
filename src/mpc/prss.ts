/**
 * Pseudo-random secret sharing (Cramer, Damgård, Ishai, TCC 2005): from the replicated seeds (seeds.ts) and a public label everybody
 * computes its shares of sharings that nobody knows, without a message.
 *
 *   f_A(x) = ∏_{a ∈ A} (1 − x/a)                          1 at zero, 0 at every participant of A
 *   random:  s_i = Σ_{A ∌ i} r_A · f_A(i)                                       degree t
 *   of zero: z_i = Σ_{A ∌ i} Σ_{j = 1..t} r_{A,j} · i^j · f_A(i)                degree 2t
 *
 * with numbers r that follow one another in the stream of K_A under the label: first one for each random sharing, then t for each of zero.
 *
 *   stream = SHAKE256(K_A ‖ label ‖ how many of each), 48 bytes a number, mod n
 *
 * A sponge keyed by what it absorbs first is a pseudo-random function (Bertoni, Daemen, Peeters, Van Assche 2011; it is what KMAC,
 * NIST SP 800-185, rests on); keys have one length, so no key and label are another key and label.
 *
 * It is deterministic: a label must never serve twice for two purposes.
 * @module
 */

import { u32 } from '../base/bytes.ts';
import { shake256 } from '../crypto/hash.ts';
import { inverse } from '../crypto/inverse.ts';
import type { Seeds } from './seeds.ts';
import { mod, powers } from './shamir.ts';

export { decodeSeeds, encodeSeeds, type Seeds, setUpSeeds } from './seeds.ts';

/**
 * Draws from the seeds of one signer, over the integers mod n.
 * @param label its parts, which have one length together for each of its uses
 * @returns own shares of that many sharings of degree t of pseudo-random numbers, and of sharings of degree 2t of zero
 */
export type PseudoRandomSharing = (label: readonly Uint8Array[], count: Drawn<number>) => Drawn<readonly bigint[]>;

interface Drawn<T> {
  readonly random: T;
  readonly zero: T;
}

/** 384 bits reduced mod an order of at most 256 leave a bias below 2⁻¹²⁸. */
const numberBytes = 48;

/** One for each curve of a signer's seeds: gone with them. */
const made = new WeakMap<Seeds, Map<bigint, PseudoRandomSharing>>();

export function pseudoRandomSharing(seeds: Seeds, n: bigint): PseudoRandomSharing {
  const known = made.get(seeds) ?? new Map<bigint, PseudoRandomSharing>();
  made.set(seeds, known);
  const sharing = known.get(n) ?? sharingOf(seeds, n);
  known.set(n, sharing);
  return sharing;
}

function sharingOf({ index, threshold, keys }: Seeds, n: bigint): PseudoRandomSharing {
  const monomials = powers(index, threshold + 1, n).slice(1);
  const weighted = keys.map(({ without, key }) => {
    const weight = weightOf(without, index, n);
    return { key, weights: { random: [weight], zero: monomials.map((power) => (power * weight) % n) } };
  });

  return (label, count) => {
    const bytes = (count.random + count.zero * threshold) * numberBytes;
    const counts = [u32(count.random), u32(count.zero)];
    const random = Array<bigint>(count.random).fill(0n);
    const zero = Array<bigint>(count.zero).fill(0n);
    for (const { key, weights } of weighted) {
      const stream = shake256(bytes, key, ...label, ...counts);
      const next = numbersOf(stream);
      addTo(random, weights.random, next);
      addTo(zero, weights.zero, next);
      stream.fill(0);
    }
    return { random: random.map((share) => share % n), zero: zero.map((share) => share % n) };
  };
}

/** Adds to each share as many of the next numbers as there are weights, weighted. */
function addTo(shares: bigint[], weights: readonly bigint[], next: () => bigint): void {
  for (let at = 0; at < shares.length; at++) {
    let sum = shares[at] ?? 0n;
    for (const weight of weights) sum += next() * weight;
    shares[at] = sum;
  }
}

/** f_A(i). */
function weightOf(set: readonly number[], i: number, n: bigint): bigint {
  let numerator = 1n;
  let denominator = 1n;
  for (const a of set) {
    numerator *= BigInt(a - i);
    denominator *= BigInt(a);
  }
  return mod(mod(numerator, n) * inverse(denominator, n), n);
}

/** The numbers of a stream, big-endian, one after another. */
function numbersOf(stream: Uint8Array): () => bigint {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  let at = 0;
  return () => {
    const end = at + numberBytes;
    let number = 0n;
    for (; at < end; at += 16) number = (number << 128n) | (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8);
    return number;
  };
}
