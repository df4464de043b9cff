import type { Context } from '../access/context.ts';
import type { Routes } from '../endpoint.ts';
import type { walletsContract } from './contract.ts';
import type { WalletService } from './service.ts';

export function walletsRoutes(service: WalletService): Routes<typeof walletsContract, Context> {
  return {
    createWallet: ({ body, context }) => service.create(context, body),
    importWallet: ({ body, context }) => service.create(context, body),
    listWallets: ({ query, context }) => service.list(context.caller, query),
    getWallet: ({ params, context }) => service.get(context.caller, params.walletId),
    updateWallet: ({ params, body, context }) => service.update(context, params.walletId, body),
    exportWallet: ({ params, body, context }) => service.export(context, params.walletId, body),
    delegateWallet: ({ params, context }) => service.delegate(context, params.walletId),
    tagWallet: ({ params, body, context }) => service.tag(context, params.walletId, body.tags),
    untagWallet: ({ params, body, context }) => service.untag(context, params.walletId, body.tags),
    createWalletSignature: ({ params, body, context }) => service.sign(context, params.walletId, body),
    listWalletSignatures: ({ params, query, context }) => service.listSignatures(context.caller, params.walletId, query),
    getWalletSignature: ({ params, context }) => service.getSignature(context.caller, params.walletId, params.signatureId),
  };
}
