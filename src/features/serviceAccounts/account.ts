/** How a service account shows. @module */

import { isoDate } from '../../base/clock.ts';
import type { BearerToken } from '../access/tokens.ts';
import { shownOperations } from '../permissions/service.ts';
import type { ServiceAccount } from './contract.ts';
import type { ListedServiceAccount, ServiceAccountRow } from './store.ts';

/** What its access token says. */
export function bearerOf({
  tokenId,
  organisationId,
  userId,
  name,
  dateIssued,
  dateExpires,
}: Pick<ServiceAccountRow, 'tokenId' | 'organisationId' | 'userId' | 'name' | 'dateIssued' | 'dateExpires'>): BearerToken {
  return { tokenId, organisationId, userId, username: name, kind: 'ServiceAccount', dateIssued, dateExpires };
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
