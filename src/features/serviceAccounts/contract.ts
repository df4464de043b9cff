/** Service accounts on the wire (contract §5.2): users that are programs, each with one token and the one credential that signs for it. */

import { z } from 'zod';
import { contract } from '../endpoint.ts';
import { externalId, id, name } from '../values.ts';

export const daysValidAtMost = 730;
const maxPem = 4096;

const ofServiceAccount = z.object({ serviceAccountId: id });

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

const createBody = z.object({
  name,
  publicKey: z.string().min(1).max(maxPem),
  permissionId: id.exactOptional(),
  externalId: externalId.exactOptional(),
  daysValid: z.int().min(1).max(daysValidAtMost).default(daysValidAtMost),
});

const updateBody = z.object({ name: name.exactOptional(), externalId: externalId.exactOptional() });

export type ServiceAccount = z.output<typeof serviceAccountSchema>;
export type CreateServiceAccount = z.output<typeof createBody>;
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
    method: 'POST',
    path: '/auth/service-accounts',
    summary: 'Create a service account; the answer carries its access token, once',
    access: 'Auth:ServiceAccounts:Create',
    userAction: true,
    body: createBody,
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
    method: 'PUT',
    path: '/auth/service-accounts/:serviceAccountId/activate',
    summary: 'Let a service account act again',
    access: 'Auth:ServiceAccounts:Activate',
    userAction: true,
    params: ofServiceAccount,
    response: serviceAccountSchema,
  },
  deactivateServiceAccount: {
    method: 'PUT',
    path: '/auth/service-accounts/:serviceAccountId/deactivate',
    summary: 'Stop a service account, at once',
    access: 'Auth:ServiceAccounts:Deactivate',
    userAction: true,
    params: ofServiceAccount,
    body: z.object({ force: z.boolean().exactOptional() }).optional(),
    response: serviceAccountSchema,
  },
  deleteServiceAccount: {
    method: 'DELETE',
    path: '/auth/service-accounts/:serviceAccountId',
    summary: 'Delete a service account, for good',
    access: 'Auth:ServiceAccounts:Delete',
    userAction: true,
    params: ofServiceAccount,
    query: z.object({ force: z.enum(['true', 'false']).optional() }),
    response: serviceAccountSchema,
  },
});
