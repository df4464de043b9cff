/**
 * Child keys of a master key, by public derivation alone (non-hardened): the child's secret is the parent's plus a *shift* that follows from
 * public key and chain code, so that every holder of a share finds the child's share by itself. For one step with index i, pk the encoded
 * public key, cc the chain code and i in four bytes, big-endian:
 *
 *   secp256k1   I = HMAC-SHA512(cc, pk ‖ i)                          shift = I[0..32], below n      cc' = I[32..64]     BIP-32, CKDpub
 *   ed25519     I = HMAC-SHA512(cc, pk ‖ 0x00 ‖ i)                   shift = I[0..32] mod L         cc' = I[32..64]     "Edwards"
 *   stark       I = HMAC-SHA512(cc, 0x00 ‖ pk ‖ i) ‖ HMAC-SHA512(cc, 0x01 ‖ pk ‖ i)
 *                                                                    shift = I[0..96] mod n         cc' = I[96..128]    "Stark"
 *
 * with shifts big-endian on every curve. The latter two are the rules of those names of the hd-wallet crate (LFDT-Lockness), whose vectors
 * are reproduced. pk' = pk + shift·G.
 *
 * Who knows a chain code and one child's secret knows the master's, and with it every other child's: that is the price of derivation
 * without secrets.
 * @module
 */

import { createHmac } from 'node:crypto';
import { concat, toBigInt, u32 } from '../base/bytes.ts';
import { Refusal } from '../base/errors.ts';
import type { Curve } from '../base/keyTypes.ts';
import { groupOf } from './groups/index.ts';

export interface ExtendedKey {
  /** As its group encodes it. */
  readonly publicKey: Uint8Array;
  /** 32 bytes. */
  readonly chainCode: Uint8Array;
}

export interface Child extends ExtendedKey {
  /** What the child's secret has more than the master's, in [0, order). Public to whoever knows the chain code. */
  readonly shift: bigint;
}

/**
 * @param path indices below 2³¹, one for each step
 * @throws {Refusal} BadRequest where there is no child (on every curve by negligible chance)
 */
export function deriveChild(curve: Curve, master: ExtendedKey, path: readonly number[]): Child {
  const { order } = groupOf(curve);
  let child: Child = { ...master, shift: 0n };
  for (const index of path) {
    const step = steps[curve](child, index);
    const shift = (child.shift + step.shift) % order;
    child = { publicKey: movedBy(curve, child.publicKey, step.shift), chainCode: step.chainCode, shift };
  }
  return child;
}

/** publicKey + shift·G. @throws {Refusal} BadRequest at infinity */
function movedBy(curve: Curve, publicKey: Uint8Array, shift: bigint): Uint8Array {
  const group = groupOf(curve);
  const moved = group.shift(group.decodePoint(publicKey), shift);
  if (group.isIdentity(moved)) throw noChild();
  return group.encodePoint(moved);
}

type Step = (parent: ExtendedKey, index: number) => { readonly shift: bigint; readonly chainCode: Uint8Array };

const steps: Readonly<Record<Curve, Step>> = {
  secp256k1({ publicKey, chainCode }, index) {
    const I = hmacSha512(chainCode, publicKey, u32(index));
    const shift = toBigInt(I.subarray(0, 32));
    if (shift >= groupOf('secp256k1').order) throw noChild(); // "the resulting key is invalid", says BIP-32
    return { shift, chainCode: I.slice(32) };
  },
  ed25519({ publicKey, chainCode }, index) {
    const I = hmacSha512(chainCode, publicKey, Uint8Array.of(0), u32(index));
    return { shift: toBigInt(I.subarray(0, 32)) % groupOf('ed25519').order, chainCode: I.slice(32) };
  },
  stark({ publicKey, chainCode }, index) {
    const half = (prefix: number) => hmacSha512(chainCode, Uint8Array.of(prefix), publicKey, u32(index));
    const I = concat(half(0), half(1));
    return { shift: toBigInt(I.subarray(0, 96)) % groupOf('stark').order, chainCode: I.slice(96) };
  },
};

function hmacSha512(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHmac('sha512', key)
      .update(concat(...parts))
      .digest(),
  );
}

function noChild(): Refusal {
  return new Refusal('BadRequest', 'there is no child key at this path; name another');
}
