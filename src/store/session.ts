/**
 * One connection as the rest sees it: statements and transactions over a `pg` client, whatever database stands behind its stream.
 * @module
 */

import { createHash } from 'node:crypto';
import type pg from 'pg';
import { assert, Refusal } from '../base/errors.ts';
import type { Query, Row } from './database.ts';
import { failureOf } from './failures.ts';

/**
 * How statements are planned, as options of the server. Once, not for each set of values: planning costs as much as running them. And as if
 * tables were large: a plan that was made while a table had a few rows is still there when it has thousands. Ours find rows by their keys,
 * so no table is read whole where an index leads to the rows. (A plan that must do so looks so dear that it would be compiled: hence `jit`.)
 */
export const planning = ['plan_cache_mode=force_generic_plan', 'enable_seqscan=off', 'jit=off'].flatMap((setting) => ['-c', setting]);

/** The longest a transaction may take before it is rolled back. */
export const transactionTimeoutMs = 30_000;

export function sessionOn(client: pg.ClientBase): Query {
  return {
    async query<R extends Row>(sql: string, params: readonly unknown[] = []): Promise<R[]> {
      try {
        const result = await client.query<R>({ name: statementName(sql), text: sql, values: [...params] });
        return result.rows;
      } catch (error) {
        throw failureOf(error);
      }
    },
    async script(sql) {
      try {
        await client.query(sql);
      } catch (error) {
        throw failureOf(error);
      }
    },
  };
}

/** Runs `work` between BEGIN and COMMIT; the client must be this transaction's alone meanwhile. */
export async function transactionOn<T>(client: pg.ClientBase, work: (tx: Query) => Promise<T>): Promise<T> {
  const session = sessionOn(client);
  let open = true;
  const whileOpen = () => assert(open, 'a transaction is used only until its work resolves');
  const tx: Query = {
    query: async (sql, params) => {
      whileOpen();
      return session.query(sql, params);
    },
    script: async (sql) => {
      whileOpen();
      return session.script(sql);
    },
  };

  await session.script('begin');
  try {
    const result = await withinTime(work(tx));
    open = false;
    await commit(client);
    return result;
  } catch (error) {
    open = false;
    // A connection that cannot roll back has failed, and the server rolls back what it had begun: the first error says more.
    await session.script('rollback').catch(() => {});
    throw error;
  }
}

/** After a failed statement PostgreSQL answers a COMMIT by rolling back, without an error. */
async function commit(client: pg.ClientBase): Promise<void> {
  const { command } = await client.query('commit').catch((error: unknown) => {
    throw failureOf(error);
  });
  assert(command === 'COMMIT', 'no statement failed in a transaction that is to be committed');
}

async function withinTime<T>(work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      reject(
        new Refusal('Unavailable', 'the database is busy', { cause: new Error(`a transaction took over ${transactionTimeoutMs} ms`) }),
      ),
    transactionTimeoutMs,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Prepared statements stay with their connection, and there is one for each text: so texts must be few. */
const maxStatements = 2_000;
const statementNames = new Map<string, string>();

/** Short (PostgreSQL cuts names at 63 bytes) and the same in every connection. */
function statementName(sql: string): string {
  const known = statementNames.get(sql);
  if (known !== undefined) return known;
  assert(statementNames.size < maxStatements, 'the text of a statement does not vary with its values');
  const name = createHash('sha256').update(sql).digest('base64url').slice(0, 22);
  statementNames.set(sql, name);
  return name;
}
