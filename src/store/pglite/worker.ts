/**
 * The thread in which the embedded database runs: PGlite (PostgreSQL compiled to WebAssembly) behind a message port that speaks
 * PostgreSQL's own wire protocol, so that neither its computing nor its waiting for the disk holds up the HTTP loop.
 *
 * As shipped PGlite is not durable: it is started with `-F` (no fsync), and its file system has no sync call (see durableFiles.ts).
 * @module
 */

import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { assert, messageOf } from '../../base/errors.ts';
import { planning } from '../session.ts';
import { DurableFiles, syncPath, syncTree } from './durableFiles.ts';

/** To the worker. Back come the bytes of the answers; first of all `ready`, and `closed` last. */
export type ToWorker = { readonly frontend: Uint8Array } | 'close';
export type FromWorker = { readonly backend: Uint8Array } | { readonly fatal: string } | 'ready' | 'closed';

/** How much of what PostgreSQL prints goes into the error when it does not start. */
const keptLines = 12;

const port = parentPort;
assert(port, 'this module runs in a worker thread');

const directory = String(workerData);
const target = join(directory, 'postgres');
if (!existsSync(target)) await initialise(target);
const files = new DurableFiles(target);
const postgres = await open(files);
await requireDurability(postgres, files);
dieWith(postgres);
port.on('message', onMessage);
send('ready');

/** Each message is one or more complete protocol messages; PostgreSQL has committed to disk by the time its answer is here. */
function onMessage(message: ToWorker): void {
  if (message === 'close') void close();
  else send({ backend: postgres.execProtocolRawSync(message.frontend) });
}

async function close(): Promise<void> {
  await postgres.close();
  send('closed');
  port?.close();
}

function send(message: FromWorker): void {
  port?.postMessage(message);
}

/** A new database appears under its name when it is complete on disk: a start that was cut short leaves nothing that looks like one. */
async function initialise(path: string): Promise<void> {
  const unfinished = `${path}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  await (await open(new DurableFiles(unfinished))).close();
  syncTree(unfinished);
  renameSync(unfinished, path);
  syncPath(dirname(path));
}

async function open(files: DurableFiles): Promise<PGlite> {
  const printed: string[] = [];
  const keep = (line: string) => {
    printed.push(line);
    if (printed.length > keptLines) printed.shift();
    return true;
  };
  try {
    return await PGlite.create({
      fs: files,
      startParams: [...PGlite.defaultStartParams.filter((param) => param !== '-F'), '-c', 'wal_sync_method=fsync', ...planning],
      onStderr: keep,
    });
  } catch (error) {
    throw new Error(`${[messageOf(error), ...printed].join('\n  ')}`, { cause: error });
  }
}

/** Commits a message to the write-ahead log and sees whether the log was synced. */
async function requireDurability(database: PGlite, files: DurableFiles): Promise<void> {
  const before = files.syncs;
  await database.query(`select pg_logical_emit_message(true, 'countersign', 'durability')`);
  if (files.syncs === before) throw new Error('a commit was not followed by a sync to disk');
}

/** How PostgreSQL leaves its main loop after an ordinary error, to enter it again (PGlite's own number). */
const afterError = 100;

/**
 * PGlite goes on when PostgreSQL exits or crashes, and would answer from what is left in memory. Here the thread ends at once: the
 * statements under way are not answered, and what is on disk is recovered at the next start, as after any crash. A sync that fails
 * comes this way too: what did not reach the disk is never tried again, for the kernel may have dropped it.
 */
function dieWith(database: PGlite): void {
  const { Module } = database;
  const loopOnce = Module._PostgresMainLoopOnce;
  Module._PostgresMainLoopOnce = () => {
    try {
      loopOnce();
    } catch (error) {
      if (error instanceof Object && 'status' in error && error.status === afterError) throw error;
      send({ fatal: messageOf(error) });
      process.exit(1);
    }
  };
}
