/**
 * The embedded database: PGlite in a thread of its own, spoken to by the same client as PostgreSQL, so that types, prepared statements and
 * errors are the same. It has one session: statements are sent without waiting for each other's answers, and a transaction has it alone.
 * @module
 */

import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import pg from 'pg';
import { messageOf } from '../../base/errors.ts';
import type { Database } from '../database.ts';
import { lockDirectory } from '../lock.ts';
import { resultTypes } from '../resultTypes.ts';
import { sessionOn, transactionOn } from '../session.ts';
import { maintain } from './maintenance.ts';
import { PgliteStream } from './stream.ts';
import type { FromWorker, ToWorker } from './worker.ts';

/** For PostgreSQL to write what it holds in memory; whatever was committed is on disk already. */
const closeTimeoutMs = 10_000;

/**
 * @param directory made and filled if it is missing; held by this process until `close`
 * @throws {Error} when it is in use, unreadable or damaged, or a commit there is not durable
 */
export async function openPglite(directory: string): Promise<Database> {
  const lock = lockDirectory(directory);
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: directory });
  try {
    await messageFrom(worker, 'ready');
    const client = await connect(worker);
    return databaseOn({ client, worker, release: () => lock.release() });
  } catch (error) {
    await worker.terminate();
    lock.release();
    throw new Error(`the embedded database in ${join(directory, 'postgres')} cannot be opened: ${messageOf(error)}`, { cause: error });
  }
}

async function connect(worker: Worker): Promise<pg.Client> {
  const stream = new PgliteStream(worker);
  const client = new pg.Client({
    stream: () => stream,
    user: 'postgres',
    database: 'postgres',
    ssl: false,
    pipeline: true,
    types: resultTypes,
  });
  // Every statement that waits, and every one after, fails with it.
  client.on('error', () => {});
  await client.connect();
  return client;
}

function databaseOn({ client, worker, release }: { client: pg.Client; worker: Worker; release: () => void }): Database {
  const session = sessionOn(client);
  /** Resolves when the transactions begun so far have ended. */
  let transactions: Promise<unknown> = Promise.resolve();
  let closed: Promise<void> | undefined;

  const database: Database = {
    kind: 'pglite',
    async query(sql, params) {
      await transactions;
      return session.query(sql, params);
    },
    async script(sql) {
      await transactions;
      return session.script(sql);
    },
    transaction(work) {
      const result = transactions.then(() => transactionOn(client, work));
      transactions = result.catch(() => {});
      return result;
    },
    close() {
      closed ??= close();
      return closed;
    },
  };
  const maintenance = maintain(database);

  async function close(): Promise<void> {
    await maintenance.stop();
    await transactions;
    await client.end();
    const ended = messageFrom(worker, 'closed');
    worker.postMessage('close' satisfies ToWorker);
    await ended.catch(() => {});
    await worker.terminate();
    release();
  }

  return database;
}

/** @throws {Error} when the worker fails, ends or stays silent instead */
function messageFrom(worker: Worker, wanted: FromWorker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: FromWorker) => message === wanted && resolve());
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('its thread has ended')));
    if (wanted === 'closed') setTimeout(() => reject(new Error('it does not close')), closeTimeoutMs).unref();
  });
}
