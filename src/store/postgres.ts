/**
 * PostgreSQL through a pool of connections. Nothing is retried: whether a statement whose connection broke took effect is for the caller
 * to find out, or to tell its own caller.
 * @module
 */

import pg from 'pg';
import { messageOf, Refusal } from '../base/errors.ts';
import type { Database } from './database.ts';
import { failureOf } from './failures.ts';
import { resultTypes } from './resultTypes.ts';
import { planning, sessionOn, transactionOn } from './session.ts';

/** Connections of one replica; PostgreSQL's own default is 100 for all. */
export const poolSize = 16;

export const timeouts = {
  /** For a connection: to be made, or to become free. */
  connectMs: 5_000,
  /** For the answer to a statement. */
  queryMs: 20_000,
  /** After which an idle connection is closed. */
  idleMs: 60_000,
} as const;

/** @throws {Error} when the server cannot be reached, or does not keep what it has committed */
export async function openPostgres(url: string): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'countersign',
    max: poolSize,
    connectionTimeoutMillis: timeouts.connectMs,
    query_timeout: timeouts.queryMs,
    idleTimeoutMillis: timeouts.idleMs,
    keepAlive: true,
    types: resultTypes,
    options: planning.join(' '),
  });
  // A connection that breaks while idle leaves the pool, which is all there is to do; one that breaks at work fails its statement.
  pool.on('error', ignored);
  pool.on('connect', (client) => client.on('error', ignored));

  try {
    await requireDurability(pool);
  } catch (error) {
    await pool.end();
    throw new Error(`PostgreSQL (DATABASE_URL) cannot be used: ${messageOf(error)}`, { cause: error });
  }
  return databaseOn(pool);
}

function databaseOn(pool: pg.Pool): Database {
  let closed: Promise<void> | undefined;
  return {
    kind: 'postgres',
    query: (sql, params) => withClient(pool, (client) => sessionOn(client).query(sql, params)),
    script: (sql) => withClient(pool, (client) => sessionOn(client).script(sql)),
    transaction: (work) => withClient(pool, (client) => transactionOn(client, work)),
    close: () => {
      closed ??= pool.end();
      return closed;
    },
  };
}

/** Not `pool.query`, which closes the connection on every error, a broken unique constraint included. */
async function withClient<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw failureOf(error);
  });
  try {
    const result = await work(client);
    client.release();
    return result;
  } catch (error) {
    client.release(error instanceof Refusal && error.code === 'Unavailable');
    throw error;
  }
}

/** What was answered must survive a crash: both settings are on unless somebody turned them off. */
async function requireDurability(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select name from pg_settings where name in ('fsync', 'synchronous_commit') and setting = 'off'`,
  );
  if (rows.length > 0) throw new Error(`a commit is not durable there, because ${rows.map((row) => row.name).join(' and ')} is off`);
}

function ignored(): void {}
