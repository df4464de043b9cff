/**
 * Where a log stands: how many entries, and a hash that commits to all of them; and how a request says at which head it was made.
 *
 * A nonce is 16 random bytes and the first 16 of the head's hash: its *anchor*. The challenge commits to the nonce, so the caller's
 * credential signs the history that was shown to the caller. A request made on one branch of a forked log is good on no other, a log from
 * which an entry was taken does not carry those signed after it, however it is hashed anew, and a signer that is behind sees that it is.
 * @module
 */

import { equal, fromBase64Url, toBase64Url, toHex } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';

export interface Head {
  /** Of the last entry; 0 before the first. */
  readonly sequence: number;
  /** 32 bytes. */
  readonly hash: Uint8Array;
}

const halfBytes = 16;

/** The nonce of a user action that is asked for now. @param random 16 fresh bytes */
export function nonceAt({ hash }: Head, random: Uint8Array): string {
  assert(random.length === halfBytes, 'a nonce is half random');
  return toBase64Url(Uint8Array.of(...random, ...hash.subarray(0, halfBytes)));
}

/** By what a nonce names its head. @returns undefined for a text that is no nonce */
export function anchorOf(nonce: string): string | undefined {
  const bytes = fromBase64Url(nonce);
  if (bytes?.length !== 2 * halfBytes || toBase64Url(bytes) !== nonce) return undefined;
  return toHex(bytes.subarray(halfBytes));
}

/** By what the nonces of a head name it. */
export function anchorFor({ hash }: Head): string {
  return toHex(hash.subarray(0, halfBytes));
}

export function sameHead(a: Head, b: Head): boolean {
  return a.sequence === b.sequence && equal(a.hash, b.hash);
}
