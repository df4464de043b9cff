import type { Context } from '../access/context.ts';
import type { Routes } from '../endpoint.ts';
import type { permissionsContract } from './contract.ts';
import type { PermissionService } from './service.ts';

export function permissionsRoutes(service: PermissionService): Routes<typeof permissionsContract, Context> {
  return {
    listPermissions: ({ query, context }) => service.list(context.caller, query),
    createPermission: ({ body, context }) => service.create(context, body),
    getPermission: ({ params, context }) => service.get(context.caller, params.permissionId),
    updatePermission: ({ params, body, context }) => service.update(context, params.permissionId, body),
    archivePermission: ({ params, body, context }) => service.archive(context, params.permissionId, body.isArchived),
    listAssignments: ({ params, query, context }) => service.listAssignments(context.caller, params.permissionId, query),
    createAssignment: ({ params, body, context }) => service.assign(context, params.permissionId, body.identityId),
    deleteAssignment: async ({ params, query, context }) => {
      await service.revoke(context, { ...params, force: query.force === 'true' });
      return {};
    },
  };
}
