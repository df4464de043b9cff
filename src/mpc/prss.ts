/**
 * Pseudo-random secret sharing (Cramer, Damgård, Ishai, TCC 2005): from the replicated seeds (seeds.ts) and a public label everybody
 * computes its share of a sharing that nobody knows, without a message.
 *
 *   f_A(x) = ∏_{a ∈ A} (1 − x/a)                      1 at zero, 0 at every participant of A
 *   random:  s_i = Σ_{A ∌ i} PRF(K_A, label) · f_A(i)                                  degree t
 *   of zero: z_i = Σ_{A ∌ i} Σ_{j = 1..t} PRF(K_A, label, j) · i^j · f_A(i)            degree 2t
 *
 * It is deterministic: a label must never serve twice for two purposes.
 * @module
 */

import { concat, toBigInt, u32 } from '../base/bytes.ts';
import { hmacSha512 } from './hash.ts';
import type { Seeds } from './seeds.ts';
import { inverse, mod, powers } from './shamir.ts';

export { decodeSeeds, encodeSeeds, type Seeds, setUpSeeds } from './seeds.ts';

/** The sharings of one signer over the integers mod n. */
export interface PseudoRandomSharing {
  /** Own share of a sharing of degree t of a pseudo-random number. */
  randomSharing(label: Uint8Array): bigint;
  /** Own share of a random sharing of degree 2t of zero. */
  zeroSharing(label: Uint8Array): bigint;
}

/** 384 bits reduced mod an order of at most 256 leave a bias below 2⁻¹²⁸. */
const prfBytes = 48;

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
  const weighted = keys.map(({ without, key }) => ({ random: prf(key, n), weight: weightOf(without, index, n) }));
  const monomials = powers(index, threshold + 1, n).slice(1);

  return {
    randomSharing(label) {
      const input = concat(label, u32(0));
      let share = 0n;
      for (const { random, weight } of weighted) share += random(input) * weight;
      return share % n;
    },

    zeroSharing(label) {
      const inputs = monomials.map((power, at) => ({ power, input: concat(label, u32(at + 1)) }));
      let share = 0n;
      for (const { random, weight } of weighted) {
        let polynomial = 0n;
        for (const { power, input } of inputs) polynomial += random(input) * power;
        share += (polynomial % n) * weight;
      }
      return share % n;
    },
  };
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

/** HMAC-SHA-512 of the input, its first 384 bits, mod n. */
function prf(key: Uint8Array, n: bigint): (input: Uint8Array) => bigint {
  const hmac = hmacSha512(key);
  return (input) => {
    const output = hmac(input);
    const value = toBigInt(output.subarray(0, prfBytes)) % n;
    output.fill(0);
    return value;
  };
}
