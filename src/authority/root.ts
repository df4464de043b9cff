/**
 * What all authority comes from: the first administrator's credential, pinned by every signer when the cluster is made. The organisation
 * and its first account are named after it; so a challenge, which names the organisation, is good for this root only.
 * @module
 */

import { createHash } from 'node:crypto';
import { fromBigInt, lengthPrefixed, utf8 } from '../base/bytes.ts';
import { importCredentialKey } from '../crypto/assertions.ts';
import { daysValidAtMost } from './bodies.ts';
import type { Head } from './head.ts';
import { namesFrom } from './ids.ts';
import { type Managed, managedPermissions } from './managed.ts';
import { keep, keepHead, type RecordStore, recordsInMemory } from './records.ts';
import { type Change, createRegistry, type MutableRegistry } from './registry.ts';

export interface Root {
  readonly clusterId: string;
  /** PEM of the first administrator's credential. */
  readonly publicKey: string;
  /** Unix seconds: when the root was pinned. Its account is valid as long as any can be, from here. */
  readonly createdAt: number;
  /** t: the operators of t + 1 signers can replace the root's credential. */
  readonly threshold: number;
  /** The cluster's; none where only the credential is at hand, and then no recovery can be verified. */
  readonly signers: readonly { readonly signerId: string; readonly index?: number }[];
}

export interface RootIds {
  readonly organisationId: string;
  readonly applicationId: string;
  readonly storeId: string;
  readonly userId: string;
  readonly tokenId: string;
  readonly credentialUuid: string;
  readonly credId: string;
  readonly fullAdminId: string;
  readonly defaultEndUserId: string;
  readonly assignmentId: string;
}

export const daySeconds = 24 * 60 * 60;

/** Follow from cluster, credential and time; the same in whatever form of PEM the credential comes. @throws {Refusal} BadRequest */
export function rootIds(root: Root): RootIds {
  const names = namesFrom('countersign/authority/root/v1', ...identityOf(root));
  return {
    organisationId: names.id('organisation'),
    applicationId: names.id('application'),
    storeId: names.id('store'),
    userId: names.id('user'),
    tokenId: names.id('token'),
    credentialUuid: names.id('credential'),
    credId: names.credId(),
    fullAdminId: names.id('permission', 'FullAdmin'),
    defaultEndUserId: names.id('permission', 'DefaultEndUser'),
    assignmentId: names.id('assignment'),
  };
}

/** The head of the empty log. */
export function genesisOf(root: Root): Head {
  const bytes = lengthPrefixed(utf8('countersign/authority/genesis/v1'), ...identityOf(root));
  return { sequence: 0, hash: new Uint8Array(createHash('sha256').update(bytes).digest()) };
}

/**
 * The registry before the first entry: the root may do everything, and is alone.
 * @param records none yet: those of the root are put there
 * @throws {Refusal} BadRequest for a credential not accepted
 */
export function initialRegistry(root: Root, records: RecordStore = recordsInMemory()): MutableRegistry {
  const ids = rootIds(root);
  const { publicKey, createdAt } = root;
  const head = genesisOf(root);
  const changes: Change[] = [
    { kind: 'permission', record: managed(ids.fullAdminId, 'FullAdmin') },
    { kind: 'permission', record: managed(ids.defaultEndUserId, 'DefaultEndUser') },
    {
      kind: 'account',
      record: {
        id: ids.userId,
        kind: 'ServiceAccount',
        tokenId: ids.tokenId,
        status: 'Active',
        validUntil: createdAt + daysValidAtMost * daySeconds,
      },
    },
    {
      kind: 'credential',
      record: {
        uuid: ids.credentialUuid,
        credId: ids.credId,
        accountId: ids.userId,
        kind: 'Key',
        publicKey,
        key: importCredentialKey(publicKey),
        isActive: true,
      },
    },
    { kind: 'assignment', record: { id: ids.assignmentId, permissionId: ids.fullAdminId, identityId: ids.userId } },
  ];
  for (const change of changes) keep(records, change);
  keepHead(records, head);
  return createRegistry({ root, ids, genesis: head, head, time: createdAt, records });
}

/** The registry of records that are kept already: as the log up to this head made them. */
export function resumedRegistry(root: Root, { head, time }: Pick<MutableRegistry, 'head' | 'time'>, records: RecordStore): MutableRegistry {
  return createRegistry({ root, ids: rootIds(root), genesis: genesisOf(root), head, time, records });
}

function identityOf({ clusterId, publicKey, createdAt }: Root): Uint8Array[] {
  const spki = importCredentialKey(publicKey).publicKey.export({ type: 'spki', format: 'der' });
  return [utf8(clusterId), spki, fromBigInt(BigInt(createdAt), 8)];
}

function managed(id: string, kind: Managed) {
  return { id, ...managedPermissions[kind], managed: kind, isArchived: false };
}
