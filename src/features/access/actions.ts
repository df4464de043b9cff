/**
 * Spending the user action of a request: once, by its audit row, with its effect.
 * @module
 */

import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import type { Database, Query } from '../../store/database.ts';
import { auditEntry, recordRefusal, spendEntry } from '../audit/store.ts';
import { actionOf, type Context } from './context.ts';

export interface Actions {
  /**
   * Spends the action and does the work in one database transaction: both are durable when it resolves, neither when it throws.
   * @throws {Refusal} UserActionUsed, and what the work refuses
   */
  perform<T>(context: Context, work: (tx: Query) => Promise<T>): Promise<T>;
  /**
   * Spends the action, then does work that reaches beyond the database and so cannot be undone: should it fail, the action stays spent.
   * @throws {Refusal} UserActionUsed, and what the work refuses
   */
  performOutside<T>(context: Context, work: () => Promise<T>): Promise<T>;
}

export function createActions({ database, clock }: { database: Database; clock: Clock }): Actions {
  const entryOf = (context: Context) =>
    auditEntry({ caller: context.caller, action: actionOf(context), date: new Date(clock()), requestId: context.requestId });

  return {
    async perform(context, work) {
      const result = await database.transaction(async (tx) => {
        if (!(await spendEntry(tx, entryOf(context)))) throw new Refusal('UserActionUsed');
        return work(tx);
      });
      actionOf(context).spent = true;
      return result;
    },

    async performOutside(context, work) {
      const entry = entryOf(context);
      if (!(await spendEntry(database, entry))) throw new Refusal('UserActionUsed');
      actionOf(context).spent = true;
      try {
        return await work();
      } catch (error) {
        await recordRefusal(database, entry.nonce, error instanceof Refusal ? error.message : 'Internal Server Error');
        throw error;
      }
    },
  };
}
