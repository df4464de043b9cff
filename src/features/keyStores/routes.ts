import type { Context } from '../access/context.ts';
import type { Routes } from '../endpoint.ts';
import type { keyStoresContract } from './contract.ts';
import type { KeyStoreService } from './service.ts';

export function keyStoresRoutes(service: KeyStoreService): Routes<typeof keyStoresContract, Context> {
  return {
    listSigners: () => service.listSigners(),
    listKeyStores: ({ context }) => service.list(context.caller),
  };
}
