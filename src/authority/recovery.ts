/**
 * When the last administrator's credential is lost: the operators of t + 1 signers give the root a new one. They sign offline, each with
 * the identity key of their signer, and each over the same cluster, head, credential and time; t corrupt signers cannot do it, and what was
 * signed is good for one head only.
 * @module
 */

import { fromBigInt, lengthPrefixed, utf8 } from '../base/bytes.ts';
import { Refusal } from '../base/errors.ts';
import { importCredentialKey } from '../crypto/assertions.ts';
import { clockSkewSeconds, type Moment } from './authorise.ts';
import { daysValidAtMost } from './bodies.ts';
import type { Head } from './head.ts';
import { namesFrom } from './ids.ts';
import type { Change, Registry } from './registry.ts';
import { daySeconds } from './root.ts';
import { fresh } from './rule.ts';
import { signedBy } from './signers.ts';

/** How long operators may take to bring their signatures together. */
export const recoveryLifetimeSeconds = 7 * daySeconds;

/** What the operators agree on. */
export interface RecoveryTerms {
  /** PEM of the root's new credential. */
  readonly publicKey: string;
  /** Unix seconds: from when it is valid, as long as any can be. */
  readonly at: number;
}

export interface Recovery extends RecoveryTerms {
  /** Of exactly t + 1 signers, by ascending signerId, so that one recovery has one text. base64url. */
  readonly signatures: readonly { readonly signerId: string; readonly signature: string }[];
}

/** What each operator's signer signs. @param at the head which the recovery follows */
export function recoveryMessage(clusterId: string, head: Head, { publicKey, at }: RecoveryTerms): Uint8Array {
  return lengthPrefixed(
    utf8('countersign/authority/recovery/v1'),
    utf8(clusterId),
    fromBigInt(BigInt(head.sequence), 8),
    head.hash,
    utf8(publicKey),
    fromBigInt(BigInt(at), 8),
  );
}

/**
 * The root with the new credential and a new token, active, and with full admin access, whatever was done to it; its old ones end.
 * @throws {Refusal} Forbidden, BadRequest
 */
export function decideRecovery(registry: Registry, recovery: Recovery, moment: Moment): readonly Change[] {
  const { publicKey, at } = recovery;
  const { root, ids, head } = registry;
  const message = recoveryMessage(root.clusterId, head, recovery);
  requireSigned(registry, recovery, message);
  requireInTime(registry, at, moment);
  const key = importCredentialKey(publicKey);
  const names = namesFrom('countersign/authority/recovery/v1', message);
  const accountId = ids.userId;

  const ended = Array.from(registry.credentialsOf(accountId), (credential): Change => {
    return { kind: 'credential', record: { ...credential, isActive: false } };
  });
  const isFullAdmin = [...registry.assignmentsOf(accountId)].some(({ permissionId }) => permissionId === ids.fullAdminId);
  const assignment: Change = {
    kind: 'assignment',
    record: { id: fresh(registry.assignments, names.id('assignment')), permissionId: ids.fullAdminId, identityId: accountId },
  };
  return [
    ...ended,
    {
      kind: 'account',
      record: {
        id: accountId,
        kind: 'ServiceAccount',
        tokenId: names.id('token'),
        status: 'Active',
        validUntil: at + daysValidAtMost * daySeconds,
      },
    },
    {
      kind: 'credential',
      record: {
        uuid: names.id('credential'),
        credId: fresh(registry.credentials, names.credId()),
        accountId,
        kind: 'Key',
        publicKey,
        key,
        isActive: true,
      },
    },
    ...(isFullAdmin ? [] : [assignment]),
  ];
}

/** What the log shows of the time, once it holds this recovery. */
export function timeShownByRecovery(registry: Registry, { at }: RecoveryTerms): number {
  return Math.max(registry.time, at - clockSkewSeconds);
}

function requireSigned({ root }: Registry, { signatures }: Recovery, message: Uint8Array): void {
  const needed = root.threshold + 1;
  if (root.signers.length < needed) throw no('the signers of the cluster are not pinned here: give the cluster file');
  if (signatures.length !== needed) throw no(`a recovery takes the signatures of ${needed} signers, not of ${signatures.length}`);
  for (const [i, { signerId, signature }] of signatures.entries()) {
    if (i > 0 && signerId <= (signatures[i - 1]?.signerId ?? ''))
      throw no('the signers of a recovery differ, and stand in the order of their ids');
    if (!signedBy(root, { signerId, message, signature }))
      throw no(`signer ${signerId} of this cluster has not signed this recovery at this head`);
  }
}

function requireInTime({ time }: Registry, at: number, moment: Moment): void {
  if (at + recoveryLifetimeSeconds <= time) throw no('the recovery had expired when an earlier entry of the log was made');
  if (moment === 'replay') return;
  const now = moment.now / 1000;
  if (at > now + clockSkewSeconds) throw no('the recovery is of a time to come');
  if (now > at + recoveryLifetimeSeconds) throw no(`the recovery expired ${Math.ceil(now - at - recoveryLifetimeSeconds)} seconds ago`);
}

function no(reason: string): Refusal {
  return new Refusal('Forbidden', `recovery refused: ${reason}`);
}
