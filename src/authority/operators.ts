/** What the operators of t + 1 signers do together, offline: each signs with the identity key of their signer. @module */

import { fromBigInt, lengthPrefixed, utf8 } from '../base/bytes.ts';
import { Refusal } from '../base/errors.ts';
import { clockSkewSeconds, type Moment } from './authorise.ts';
import type { Head } from './head.ts';
import type { Registry } from './registry.ts';
import { daySeconds } from './root.ts';
import { type SignerSet, signedBy } from './signers.ts';

/** How long operators may take to bring their signatures together. */
export const operatorsLifetimeSeconds = 7 * daySeconds;

export interface OperatorSignature {
  readonly signerId: string;
  /** base64url. */
  readonly signature: string;
}

/**
 * What each operator's signer signs.
 * @param what.purpose of this kind of message alone
 * @param what.head which the terms follow
 * @param what.at when they were agreed on, in unix seconds
 */
export function operatorsMessage(what: {
  purpose: string;
  clusterId: string;
  head: Head;
  terms: readonly Uint8Array[];
  at: number;
}): Uint8Array {
  const { purpose, clusterId, head, terms, at } = what;
  const number = (value: number) => fromBigInt(BigInt(value), 8);
  return lengthPrefixed(utf8(purpose), utf8(clusterId), number(head.sequence), head.hash, ...terms, number(at));
}

/**
 * Exactly t + 1, by ascending signerId, so that what they sign has one text.
 * @param what in the words of the refusal
 * @throws {Refusal} Forbidden
 */
export function requireOperators(what: string, set: SignerSet, signatures: readonly OperatorSignature[], message: Uint8Array): void {
  const needed = set.threshold + 1;
  if (set.signers.length < needed) throw no(what, 'the signers of the cluster are not pinned here: give the cluster file');
  if (signatures.length !== needed) throw no(what, `a ${what} takes the signatures of ${needed} signers, not of ${signatures.length}`);
  for (const [i, { signerId, signature }] of signatures.entries()) {
    if (i > 0 && signerId <= (signatures[i - 1]?.signerId ?? ''))
      throw no(what, `the signers of a ${what} differ, and stand in the order of their ids`);
    if (!signedBy(set, { signerId, message, signature })) throw no(what, `signer ${signerId} of this cluster has not signed this ${what}`);
  }
}

/** @param at when it was agreed on, in unix seconds @throws {Refusal} Forbidden */
export function requireInTime(what: string, { time }: Registry, at: number, moment: Moment): void {
  if (at + operatorsLifetimeSeconds <= time) throw no(what, `the ${what} had expired when an earlier entry of the log was made`);
  if (moment === 'replay') return;
  const now = moment.now / 1000;
  if (at > now + clockSkewSeconds) throw no(what, `the ${what} is of a time to come`);
  if (now > at + operatorsLifetimeSeconds)
    throw no(what, `the ${what} expired ${Math.ceil(now - at - operatorsLifetimeSeconds)} seconds ago`);
}

function no(what: string, reason: string): Refusal {
  return new Refusal('Forbidden', `${what} refused: ${reason}`);
}
