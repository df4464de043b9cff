import type { Context } from '../access/context.ts';
import type { Routes } from '../endpoint.ts';
import type { refreshContract } from './contract.ts';
import type { RefreshService } from './service.ts';

export function refreshRoutes(service: RefreshService): Routes<typeof refreshContract, Context> {
  return {
    refreshKeys: ({ body, context }) => service.ask(context, body.keyId),
    getRefresh: () => service.progress(),
  };
}
