import type { Context } from '../access/context.ts';
import type { Routes } from '../endpoint.ts';
import type { authorityContract } from './contract.ts';
import type { RecoveryService } from './recovery.ts';
import type { LogRow } from './store.ts';

export function authorityRoutes(
  readPage: (from: number) => Promise<readonly LogRow[]>,
  recovery: RecoveryService,
): Routes<typeof authorityContract, Context> {
  return {
    listEntries: async ({ query }) => ({ items: (await readPage(query.from)).map(({ sequence, text }) => ({ sequence, entry: text })) }),
    recover: ({ body, context }) => recovery.recover(body, context.requestId),
  };
}
