import type { Routes } from '../endpoint.ts';
import type { Context } from './context.ts';
import type { accessContract } from './contract.ts';
import type { AccessService } from './service.ts';

export function accessRoutes(service: AccessService): Routes<typeof accessContract, Context> {
  return {
    initAction: async ({ body, context }) => service.initAction(context.caller, body),
    completeAction: async ({ body, context }) => service.completeAction(context.caller, body),
  };
}
