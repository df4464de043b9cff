/** What a service account is made of, and how it shows. @module */

import { randomBytes } from 'node:crypto';
import { toBase64Url } from '../../base/bytes.ts';
import { isoDate } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import type { BearerToken } from '../access/tokens.ts';
import { shownOperations } from '../permissions/service.ts';
import type { ServiceAccount } from './contract.ts';
import type { ListedServiceAccount, ServiceAccountRow } from './store.ts';

const dayMs = 24 * 60 * 60 * 1000;
const credIdBytes = 32;

export function newServiceAccount(wanted: {
  organisationId: string;
  name: string;
  publicKey: string;
  daysValid: number;
  now: Date;
}): ServiceAccountRow {
  const { organisationId, name, publicKey, daysValid, now } = wanted;
  return {
    userId: newId('user'),
    organisationId,
    name,
    isActive: true,
    tokenId: newId('token'),
    credentialUuid: newId('credential'),
    credId: toBase64Url(randomBytes(credIdBytes)),
    publicKey,
    dateCreated: now,
    dateExpires: new Date(now.getTime() + daysValid * dayMs),
  };
}

/** What its access token says. */
export function bearerOf({ tokenId, organisationId, userId, name, dateCreated, dateExpires }: ServiceAccountRow): BearerToken {
  return { tokenId, organisationId, userId, username: name, kind: 'ServiceAccount', dateIssued: dateCreated, dateExpires };
}

/** @param accessToken to be shown once */
export function shown(row: ListedServiceAccount, accessToken?: string): ServiceAccount {
  const permissionAssignments = row.assignments.map(({ permissionName, permissionId, assignmentId, ...permission }) => ({
    permissionName,
    permissionId,
    assignmentId,
    operations: shownOperations(permission),
  }));
  return {
    userInfo: {
      username: row.name,
      name: row.name,
      userId: row.userId,
      kind: 'CustomerEmployee',
      credentialUuid: row.credentialUuid,
      orgId: row.organisationId,
      isActive: row.isActive,
      isServiceAccount: true,
      isRegistered: true,
      permissionAssignments,
    },
    accessTokens: [
      {
        ...(accessToken === undefined ? {} : { accessToken }),
        dateCreated: isoDate(row.dateCreated.getTime()),
        credId: row.credId,
        isActive: row.isActive,
        kind: 'ServiceAccount',
        linkedUserId: row.userId,
        linkedAppId: '',
        name: row.name,
        orgId: row.organisationId,
        permissionAssignments,
        publicKey: row.publicKey,
        tokenId: row.tokenId,
      },
    ],
  };
}
