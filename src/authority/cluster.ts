/**
 * Who the signers of a cluster are, and how that changes. The root pins the first ones. Others come by an entry of the log that the
 * operators of t + 1 signers have signed, offline, each with the identity key of their signer: a signer is replaced, the cluster grows or
 * shrinks, its threshold becomes another. From that entry on it is the new signers who vouch for the log, and who are to hold all keys.
 *
 * What the operators sign names the change before it and not the head, so that the log may go on while they sign; once a change has
 * happened, none that was signed before it is good any more.
 * @module
 */

import { toHex, u32, utf8 } from '../base/bytes.ts';
import { Refusal } from '../base/errors.ts';
import { clockSkewSeconds, type Moment } from './authorise.ts';
import type { Head } from './head.ts';
import { type OperatorSignature, operatorsMessage, requireInTime, requireOperators } from './operators.ts';
import type { Change, Registry } from './registry.ts';
import { isConfirmed, type SignedHead } from './signedHead.ts';
import type { Member, SetInForce } from './signers.ts';

export interface ClusterTerms {
  readonly threshold: number;
  /** Ascending by index. */
  readonly signers: readonly Member[];
  /** Unix seconds: when it was agreed on. */
  readonly at: number;
}

export interface ClusterChange extends ClusterTerms {
  /** Of exactly t + 1 signers of before, by ascending signerId. */
  readonly signatures: readonly OperatorSignature[];
}

/** What each operator's signer signs. @param since of the set that is in force now */
export function clusterMessage(clusterId: string, since: Head, { threshold, signers, at }: ClusterTerms): Uint8Array {
  const members = signers.flatMap(({ index, signerId, encryptionKey }) => [u32(index), utf8(signerId), utf8(encryptionKey)]);
  return operatorsMessage({
    purpose: 'countersign/authority/cluster/v1',
    clusterId,
    head: since,
    terms: [u32(threshold), ...members],
    at,
  });
}

/** @param head that the change makes @throws {Refusal} Forbidden, BadRequest */
export function decideClusterChange(registry: Registry, change: ClusterChange, head: Head, moment: Moment): readonly Change[] {
  requireSigned(registry.cluster, change);
  requireInTime('cluster change', registry, change.at, moment);
  requireSuccessor(registry, change);
  const { threshold, signers } = change;
  const { sequence, hash } = head;
  return [{ kind: 'cluster', record: { id: String(sequence), since: sequence, hash: toHex(hash), threshold, signers } }];
}

/** What the log shows of the time, once it holds this change. */
export function timeShownByChange(registry: Registry, { at }: ClusterTerms): number {
  return Math.max(registry.time, at - clockSkewSeconds);
}

/**
 * Whether signers vouch for this head whose word counts there: t + 1 of those in force before its entry, or, where its entry is a change, of
 * those in force after it.
 */
export function isVouchedFor(registry: Pick<Registry, 'clustersAt'>, head: Head, vouchers: readonly SignedHead[]): boolean {
  return registry.clustersAt(head.sequence).some((set) => isConfirmed(set, head, vouchers));
}

/** Whether the operators of this set have signed the change. */
export function isSignedBy(set: SetInForce, change: ClusterChange): boolean {
  try {
    requireSigned(set, change);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

function requireSigned(set: SetInForce, change: ClusterChange): void {
  requireOperators('cluster change', set, change.signatures, clusterMessage(set.clusterId, set.since, change));
}

/** @throws {Refusal} BadRequest for signers that make no cluster, or to whom keys could not be handed on */
function requireSuccessor({ cluster }: Registry, { threshold, signers }: ClusterTerms): void {
  if (signers.length < 2 * threshold + 1)
    throw new Refusal('BadRequest', `threshold ${threshold} takes ${2 * threshold + 1} signers or more, not ${signers.length}`);
  const isAscending = signers.every(({ index }, i) => i === 0 || index > (signers[i - 1]?.index ?? 0));
  const keys = signers.flatMap(({ signerId, encryptionKey }) => [signerId, encryptionKey]);
  if (!isAscending || new Set(keys).size < keys.length)
    throw new Refusal('BadRequest', 'signers differ in number and keys, and stand in the order of their numbers');
  const staying = signers.filter(({ signerId }) => cluster.signers.some((signer) => signer.signerId === signerId));
  const needed = Math.max(threshold, cluster.threshold) + 1;
  if (staying.length < needed)
    throw new Refusal('BadRequest', `${needed} signers or more must stay, to hand the keys on; ${staying.length} do`);
  const renumbered = staying.find(({ signerId, index }) =>
    cluster.signers.some((signer) => signer.signerId === signerId && (signer.index ?? index) !== index),
  );
  if (renumbered !== undefined) throw new Refusal('BadRequest', `signer ${renumbered.signerId} keeps its number while it is a signer`);
}
