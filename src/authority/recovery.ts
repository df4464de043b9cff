/**
 * When the last administrator's credential is lost: the operators of t + 1 signers give the root a new one. They sign offline, each with
 * the identity key of their signer, and each over the same cluster, head, credential and time; t corrupt signers cannot do it, and what was
 * signed is good for one head only.
 * @module
 */

import { utf8 } from '../base/bytes.ts';
import { importCredentialKey } from '../crypto/assertions.ts';
import { clockSkewSeconds, type Moment } from './authorise.ts';
import { daysValidAtMost } from './bodies.ts';
import type { Head } from './head.ts';
import { namesFrom } from './ids.ts';
import { type OperatorSignature, operatorsMessage, requireInTime, requireOperators } from './operators.ts';
import type { Change, Registry } from './registry.ts';
import { daySeconds } from './root.ts';
import { fresh } from './rule.ts';

/** What the operators agree on. */
export interface RecoveryTerms {
  /** PEM of the root's new credential. */
  readonly publicKey: string;
  /** Unix seconds: from when it is valid, as long as any can be. */
  readonly at: number;
}

export interface Recovery extends RecoveryTerms {
  /** Of exactly t + 1 signers, by ascending signerId, so that one recovery has one text. base64url. */
  readonly signatures: readonly OperatorSignature[];
}

/** What each operator's signer signs. @param head which the recovery follows */
export function recoveryMessage(clusterId: string, head: Head, { publicKey, at }: RecoveryTerms): Uint8Array {
  return operatorsMessage({ purpose: 'countersign/authority/recovery/v1', clusterId, head, terms: [utf8(publicKey)], at });
}

/**
 * The root with the new credential and a new token, active, and with full admin access, whatever was done to it; its old ones end.
 * @throws {Refusal} Forbidden, BadRequest
 */
export function decideRecovery(registry: Registry, recovery: Recovery, moment: Moment): readonly Change[] {
  const { publicKey, at } = recovery;
  const { root, ids, head } = registry;
  const message = recoveryMessage(root.clusterId, head, recovery);
  requireOperators('recovery', registry.cluster, recovery.signatures, message);
  requireInTime('recovery', registry, at, moment);
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
