import type { Context } from '../access/context.ts';
import type { Routes } from '../endpoint.ts';
import type { signaturesContract } from './contract.ts';
import type { SignatureService } from './service.ts';

export function signaturesRoutes(service: SignatureService): Routes<typeof signaturesContract, Context> {
  return {
    createSignature: ({ params, body, context }) => service.create(context, params, body),
    listSignatures: ({ params, query, context }) => service.list(context.caller, params, query),
    getSignature: ({ params, context }) => service.get(context.caller, params, params.signatureId),
  };
}
