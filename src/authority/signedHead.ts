/**
 * Heads as signers vouch for them: "at this time, my log stood here". Shown to operators, kept in their logs, and compared: who saw one can
 * tell later that a log was rolled back or shown in two versions.
 * @module
 */

import { fromBigInt, lengthPrefixed, utf8 } from '../base/bytes.ts';
import { type Head, sameHead } from './head.ts';
import type { Registry } from './registry.ts';
import { type SignerSet, signedBy } from './signers.ts';

export interface SignedHead extends Head {
  /** Unix seconds: when it was said. */
  readonly at: number;
  /** Who says it: base64 of an Ed25519 key of 32 bytes. */
  readonly signerId: string;
  /** By that key over `headMessage`; base64url of 64 bytes. */
  readonly signature: string;
}

/** What a signer signs to vouch for its head. */
export function headMessage(clusterId: string, { sequence, hash }: Head, at: number): Uint8Array {
  const number = (value: number) => fromBigInt(BigInt(value), 8);
  return lengthPrefixed(utf8('countersign/authority/head/v1'), utf8(clusterId), number(sequence), hash, number(at));
}

/** Whether a signer of this cluster said so. Anything malformed is `false`. */
export function verifySignedHead(root: Pick<SignerSet, 'clusterId' | 'signers'>, head: SignedHead): boolean {
  const { signerId, signature, at, sequence } = head;
  if (![at, sequence].every((number) => Number.isSafeInteger(number) && number >= 0)) return false;
  return signedBy(root, { signerId, signature, message: headMessage(root.clusterId, head, at) });
}

/** Whether t + 1 signers vouch for exactly this head. */
export function isConfirmed(root: SignerSet, head: Head, vouchers: readonly SignedHead[]): boolean {
  const vouching = vouchers.filter((voucher) => sameHead(voucher, head) && verifySignedHead(root, voucher));
  return new Set(vouching.map(({ signerId }) => signerId)).size > root.threshold;
}

/** How another's head stands to one's own log. `ahead` is a claim, until the entries in between have come and been verified. */
export type Relation = 'equal' | 'behind' | 'ahead' | 'fork';

export function compareHeads(own: Pick<Registry, 'head' | 'hashAt'>, other: Head): Relation {
  if (other.sequence > own.head.sequence) return 'ahead';
  const hash = own.hashAt(other.sequence);
  if (hash === undefined || !sameHead(other, { sequence: other.sequence, hash })) return 'fork';
  return other.sequence === own.head.sequence ? 'equal' : 'behind';
}

/**
 * Whether two heads of one signer are of no append-only log: two versions of one entry, or fewer entries later. Both together are the proof
 * against it.
 */
export function contradict(a: SignedHead, b: SignedHead): boolean {
  if (a.signerId !== b.signerId) return false;
  if (a.sequence === b.sequence) return !sameHead(a, b);
  const [shorter, longer] = a.sequence < b.sequence ? [a, b] : [b, a];
  return longer.at < shorter.at;
}
