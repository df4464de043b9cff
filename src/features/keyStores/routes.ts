import type { Context } from '../access/context.ts';
import type { Routes } from '../endpoint.ts';
import type { keyStoresContract } from './contract.ts';
import type { KeyStoreService } from './service.ts';

export function keyStoresRoutes(service: KeyStoreService): Routes<typeof keyStoresContract, Context> {
  return {
    listSigners: () => service.listSigners(),
    takeOverSigner: ({ body, context }) => service.takeOver(context, body),
    listKeyStores: ({ context }) => service.list(context.caller),
  };
}
