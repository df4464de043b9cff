/** Permissions and their assignments on the wire (contract §6). @module */

import { z } from 'zod';
import { pageOf, pageQuery } from '../../base/pagination.ts';
import { contract } from '../endpoint.ts';
import { id, name } from '../values.ts';
import { legacyOperations, operations } from './operations.ts';

const listQuery = pageQuery({ defaultLimit: 50, maxLimit: 200 });

const operationName = z.enum([...operations, ...legacyOperations]);
const operationList = z
  .array(operationName)
  .min(1)
  .max(operations.length + legacyOperations.length)
  .transform((names) => [...new Set(names)]);

const ofPermission = z.object({ permissionId: id });
const ofAssignment = z.object({ permissionId: id, assignmentId: id });

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
    method: 'POST',
    path: '/permissions',
    summary: 'Create a permission: a named list of operations',
    access: 'Permissions:Create',
    userAction: true,
    body: z.object({ name, operations: operationList }),
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
    method: 'PUT',
    path: '/permissions/:permissionId',
    summary: 'Rename a permission, or replace its operations',
    access: 'Permissions:Update',
    userAction: true,
    params: ofPermission,
    body: z.object({ name: name.exactOptional(), operations: operationList.exactOptional() }),
    response: permissionSchema,
  },
  archivePermission: {
    method: 'PUT',
    path: '/permissions/:permissionId/archive',
    summary: 'Archive a permission, which then grants nothing, or bring it back',
    access: 'Permissions:Archive',
    userAction: true,
    params: ofPermission,
    body: z.object({ isArchived: z.boolean() }),
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
    method: 'POST',
    path: '/permissions/:permissionId/assignments',
    summary: 'Assign a permission to a user or a service account',
    access: 'Permissions:Assign',
    userAction: true,
    params: ofPermission,
    body: z.object({ identityId: id }),
    response: assignmentSchema,
  },
  deleteAssignment: {
    method: 'DELETE',
    path: '/permissions/:permissionId/assignments/:assignmentId',
    summary: 'Revoke an assignment',
    access: 'Permissions:Revoke',
    userAction: true,
    params: ofAssignment,
    query: z.object({ force: z.enum(['true', 'false']).optional() }),
    response: z.object({}),
  },
});
