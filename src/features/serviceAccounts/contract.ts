/** Service accounts on the wire (contract §5.2): users that are programs, each with one token and the one credential that signs for it. */

import { z } from 'zod';
import { externalId, name } from '../../authority/bodies.ts';
import { registryRequests } from '../../authority/requests.ts';
import { contract, signed } from '../endpoint.ts';

const { createServiceAccount, activateServiceAccount, deactivateServiceAccount, deleteServiceAccount } = registryRequests;
const ofServiceAccount = activateServiceAccount.params;

const permissionAssignments = z.array(
  z.object({
    permissionName: z.string(),
    permissionId: z.string(),
    assignmentId: z.string(),
    operations: z.array(z.string()),
  }),
);

export const serviceAccountSchema = z.object({
  userInfo: z.object({
    username: z.string(),
    name: z.string(),
    userId: z.string(),
    kind: z.literal('CustomerEmployee'),
    credentialUuid: z.string(),
    orgId: z.string(),
    isActive: z.boolean(),
    isServiceAccount: z.literal(true),
    isRegistered: z.literal(true),
    permissionAssignments,
  }),
  accessTokens: z.array(
    z.object({
      /** Only in the answer to the creation. */
      accessToken: z.string().exactOptional(),
      dateCreated: z.iso.datetime(),
      credId: z.string(),
      isActive: z.boolean(),
      kind: z.literal('ServiceAccount'),
      linkedUserId: z.string(),
      linkedAppId: z.string(),
      name: z.string(),
      orgId: z.string(),
      permissionAssignments,
      publicKey: z.string(),
      tokenId: z.string(),
    }),
  ),
});

const updateBody = z.object({ name: name.exactOptional(), externalId: externalId.exactOptional() });

export type ServiceAccount = z.output<typeof serviceAccountSchema>;
export type UpdateServiceAccount = z.output<typeof updateBody>;

export const serviceAccountsContract = contract({
  listServiceAccounts: {
    method: 'GET',
    path: '/auth/service-accounts',
    summary: 'List service accounts, newest first, at most 1000',
    access: 'Auth:ServiceAccounts:Read',
    userAction: false,
    response: z.object({ items: z.array(serviceAccountSchema) }),
  },
  createServiceAccount: {
    ...signed(createServiceAccount),
    summary: 'Create a service account; the answer carries its access token, once',
    body: createServiceAccount.body,
    response: serviceAccountSchema,
  },
  getServiceAccount: {
    method: 'GET',
    path: '/auth/service-accounts/:serviceAccountId',
    summary: 'Get a service account',
    access: 'Auth:ServiceAccounts:Read',
    userAction: false,
    params: ofServiceAccount,
    response: serviceAccountSchema,
  },
  updateServiceAccount: {
    method: 'PUT',
    path: '/auth/service-accounts/:serviceAccountId',
    summary: 'Rename a service account, or give it an externalId',
    access: 'Auth:ServiceAccounts:Update',
    userAction: true,
    params: ofServiceAccount,
    body: updateBody,
    response: serviceAccountSchema,
  },
  activateServiceAccount: {
    ...signed(activateServiceAccount),
    summary: 'Let a service account act again',
    params: ofServiceAccount,
    response: serviceAccountSchema,
  },
  deactivateServiceAccount: {
    ...signed(deactivateServiceAccount),
    summary: 'Stop a service account, at once',
    params: ofServiceAccount,
    body: deactivateServiceAccount.body,
    response: serviceAccountSchema,
  },
  deleteServiceAccount: {
    ...signed(deleteServiceAccount),
    summary: 'Delete a service account, for good',
    params: ofServiceAccount,
    query: deleteServiceAccount.query,
    response: serviceAccountSchema,
  },
});
