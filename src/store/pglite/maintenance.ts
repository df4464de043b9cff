/**
 * What PostgreSQL's background processes do, and the embedded database, being a single process, does not: checkpoints, without which the
 * write-ahead log grows for ever and recovery takes ever longer, and vacuum with analyze.
 * @module
 */

import type { Database } from '../database.ts';

const intervalMs = 30_000;

/** How much of the log a recovery may have to read, roughly. */
const maxWalBytes = 64 * 1024 * 1024;

/** As autovacuum decides it (PostgreSQL §24.1.6), with its default scale factor. */
const neglectedTables = `
  select format('%I.%I', schemaname, relname) as name
  from pg_stat_user_tables
  where greatest(n_dead_tup, n_ins_since_vacuum, n_mod_since_analyze) > 1000 + 0.2 * n_live_tup`;

const walSinceCheckpoint = `
  select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::int8 as bytes from pg_control_checkpoint()`;

/** Looks every 30 seconds, between the statements of others. */
export function maintain(database: Database): { stop(): Promise<void> } {
  let round: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    // A database that has failed is reported by those who use it.
    round = round.then(() => maintainOnce(database)).catch(() => {});
  }, intervalMs);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      return round;
    },
  };
}

export async function maintainOnce(database: Database): Promise<void> {
  for (const { name } of await database.query<{ name: string }>(neglectedTables)) await database.script(`vacuum (analyze) ${name}`);
  const [wal] = await database.query<{ bytes: number }>(walSinceCheckpoint);
  if (wal !== undefined && wal.bytes > maxWalBytes) await database.script('checkpoint');
}
