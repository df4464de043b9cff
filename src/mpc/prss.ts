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

import { hash } from 'node:crypto';
import { concat, toBigInt, u32 } from '../base/bytes.ts';
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
/** The block of SHA-512. */
const blockBytes = 128;

export function pseudoRandomSharing({ index, threshold, keys }: Seeds, n: bigint): PseudoRandomSharing {
  const weighted = keys.map(({ without, key }) => ({ key, weight: weightOf(without, index, n) }));
  const monomials = powers(index, threshold + 1, n).slice(1);

  return {
    randomSharing(label) {
      const input = concat(label, u32(0));
      let share = 0n;
      for (const { key, weight } of weighted) share += prf(key, input, n) * weight;
      return share % n;
    },

    zeroSharing(label) {
      const inputs = monomials.map((power, at) => ({ power, input: concat(label, u32(at + 1)) }));
      let share = 0n;
      for (const { key, weight } of weighted) {
        let polynomial = 0n;
        for (const { power, input } of inputs) polynomial += prf(key, input, n) * power;
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

/** HMAC-SHA-512, its first 384 bits, mod n. */
function prf(key: Uint8Array, input: Uint8Array, n: bigint): bigint {
  const output = hmacSha512(key, input);
  const value = toBigInt(output.subarray(0, prfBytes)) % n;
  output.fill(0);
  return value;
}

/**
 * RFC 2104 over one-shot hashes: a third of the time that the library's own HMAC takes for short inputs.
 * @param key at most 128 bytes, the block of SHA-512
 */
export function hmacSha512(key: Uint8Array, input: Uint8Array): Uint8Array {
  const inner = padded(key, 0x36, input);
  const digest = hash('sha512', inner, 'buffer');
  const outer = padded(key, 0x5c, digest);
  const output = hash('sha512', outer, 'buffer');
  for (const secret of [inner, digest, outer]) secret.fill(0);
  return output;
}

function padded(key: Uint8Array, pad: number, input: Uint8Array): Uint8Array {
  const out = new Uint8Array(blockBytes + input.length).fill(pad, 0, blockBytes);
  for (let i = 0; i < key.length; i++) out[i] = (key[i] ?? 0) ^ pad;
  out.set(input, blockBytes);
  return out;
}
