import type { Context } from '../access/context.ts';
import type { Routes } from '../endpoint.ts';
import type { permissionsContract } from './contract.ts';
import type { PermissionService } from './service.ts';

export function permissionsRoutes(service: PermissionService): Routes<typeof permissionsContract, Context> {
  return {
    listPermissions: ({ query, context }) => service.list(context.caller, query),
    createPermission: ({ context }) => service.create(context),
    getPermission: ({ params, context }) => service.get(context.caller, params.permissionId),
    updatePermission: ({ params, context }) => service.update(context, params.permissionId),
    archivePermission: ({ params, context }) => service.archive(context, params.permissionId),
    listAssignments: ({ params, query, context }) => service.listAssignments(context.caller, params.permissionId, query),
    createAssignment: ({ context }) => service.assign(context),
    deleteAssignment: async ({ query, context }) => {
      await service.revoke(context, { force: query.force === 'true' });
      return {};
    },
  };
}
