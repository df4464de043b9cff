import type { Context } from '../access/context.ts';
import type { Routes } from '../endpoint.ts';
import type { keysContract } from './contract.ts';
import type { KeyService } from './service.ts';

export function keysRoutes(service: KeyService): Routes<typeof keysContract, Context> {
  return {
    createKey: ({ body, context }) => service.create(context, body),
    listKeys: ({ query, context }) => service.list(context.caller, query),
    getKey: ({ params, context }) => service.get(context.caller, params.keyId),
    updateKey: ({ params, body, context }) => service.rename(context, params.keyId, body.name),
    deleteKey: ({ params, context }) => service.archive(context, params.keyId),
    deriveKey: ({ params, body, context }) => service.derive(context, params.keyId, body),
    importKey: ({ body, context }) => service.create(context, body),
    exportKey: ({ params, body, context }) => service.export(context, params.keyId, body),
    delegateKey: ({ params, context }) => service.delegate(context, params.keyId),
  };
}
