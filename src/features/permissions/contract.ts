/** Permissions and their assignments on the wire (contract §6). @module */

import { z } from 'zod';
import { registryRequests } from '../../authority/requests.ts';
import { pageOf, pageQuery } from '../../base/pagination.ts';
import { contract, signed } from '../endpoint.ts';

const listQuery = pageQuery({ defaultLimit: 50, maxLimit: 200 });
const { createPermission, updatePermission, archivePermission, createAssignment, deleteAssignment } = registryRequests;
const ofPermission = updatePermission.params;

export const permissionSchema = z.object({
  id: z.string(),
  name: z.string(),
  operations: z.array(z.string()),
  status: z.literal('Active'),
  isImmutable: z.boolean(),
  isArchived: z.boolean(),
  dateCreated: z.iso.datetime(),
  dateUpdated: z.iso.datetime(),
});

export const assignmentSchema = z.object({
  id: z.string(),
  permissionId: z.string(),
  identityId: z.string(),
  isImmutable: z.boolean(),
  dateCreated: z.iso.datetime(),
  dateUpdated: z.iso.datetime(),
});

export type Permission = z.output<typeof permissionSchema>;
export type Assignment = z.output<typeof assignmentSchema>;

export const permissionsContract = contract({
  listPermissions: {
    method: 'GET',
    path: '/permissions',
    summary: 'List permissions',
    access: 'Permissions:Read',
    userAction: false,
    query: listQuery,
    response: pageOf(permissionSchema),
  },
  createPermission: {
    ...signed(createPermission),
    summary: 'Create a permission: a named list of operations',
    body: createPermission.body,
    response: permissionSchema,
  },
  getPermission: {
    method: 'GET',
    path: '/permissions/:permissionId',
    summary: 'Get a permission',
    access: 'Permissions:Read',
    userAction: false,
    params: ofPermission,
    response: permissionSchema,
  },
  updatePermission: {
    ...signed(updatePermission),
    summary: 'Rename a permission, or replace its operations',
    params: ofPermission,
    body: updatePermission.body,
    response: permissionSchema,
  },
  archivePermission: {
    ...signed(archivePermission),
    summary: 'Archive a permission, which then grants nothing, or bring it back',
    params: ofPermission,
    body: archivePermission.body,
    response: permissionSchema,
  },
  listAssignments: {
    method: 'GET',
    path: '/permissions/:permissionId/assignments',
    summary: 'List who holds a permission',
    access: 'Permissions:Assignments:Read',
    userAction: false,
    params: ofPermission,
    query: listQuery,
    response: pageOf(assignmentSchema),
  },
  createAssignment: {
    ...signed(createAssignment),
    summary: 'Assign a permission to a user or a service account',
    params: ofPermission,
    body: createAssignment.body,
    response: assignmentSchema,
  },
  deleteAssignment: {
    ...signed(deleteAssignment),
    summary: 'Revoke an assignment',
    params: deleteAssignment.params,
    query: deleteAssignment.query,
    response: z.object({}),
  },
});
