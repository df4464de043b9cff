import type { Context } from '../access/context.ts';
import type { Routes } from '../endpoint.ts';
import type { serviceAccountsContract } from './contract.ts';
import type { ServiceAccountService } from './service.ts';

/** `force` has no effect: no policy names approvers. */
export function serviceAccountsRoutes(service: ServiceAccountService): Routes<typeof serviceAccountsContract, Context> {
  return {
    listServiceAccounts: ({ context }) => service.list(context.caller),
    createServiceAccount: ({ body, context }) => service.create(context, body),
    getServiceAccount: ({ params, context }) => service.get(context.caller, params.serviceAccountId),
    updateServiceAccount: ({ params, body, context }) => service.update(context, params.serviceAccountId, body),
    activateServiceAccount: ({ params, context }) => service.activate(context, params.serviceAccountId),
    deactivateServiceAccount: ({ params, context }) => service.deactivate(context, params.serviceAccountId),
    deleteServiceAccount: ({ params, context }) => service.delete(context, params.serviceAccountId),
  };
}
