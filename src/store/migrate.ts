/**
 * The schema grows by numbered files, `0001_init.sql`, applied in order at every start; what was applied is recorded with its checksum.
 * @module
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { toHex } from '../base/bytes.ts';
import type { Database, Query } from './database.ts';

/** Any number, but the same in every replica: PostgreSQL's advisory locks are named by numbers. */
const migrationLock = 7_236_114_022;

interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/**
 * Applies what is missing, each file in a transaction of its own. Replicas that start together take turns.
 * @throws {Error} when a migration fails, was changed after it was applied, or the database is of a newer version than this program
 */
export async function migrate(database: Database, directory: URL): Promise<void> {
  const migrations = migrationsIn(directory);
  for (let next: Migration | undefined, done = false; !done; done = next === undefined) {
    next = await database.transaction((tx) => applyNext(tx, migrations));
  }
}

/** @returns the migration it has applied, undefined when there was none left */
async function applyNext(tx: Query, migrations: readonly Migration[]): Promise<Migration | undefined> {
  await tx.query('select pg_advisory_xact_lock($1)', [migrationLock]);
  await tx.script(`create table if not exists migrations (
    number integer primary key, name text not null, checksum text not null, date_applied timestamptz not null default now())`);
  const applied = await tx.query<{ number: number; name: string; checksum: string }>(
    'select number, name, checksum from migrations order by number',
  );
  for (const { number, name, checksum } of applied) {
    const known = migrations[number - 1];
    if (known === undefined) throw new Error(`the database is newer than this program: it has migration ${name}, which is unknown here`);
    if (known.checksum !== checksum) throw new Error(`migration ${name} was changed after it had been applied to this database`);
  }
  const next = migrations[applied.length];
  if (next === undefined) return undefined;
  try {
    await tx.script(next.sql);
  } catch (error) {
    throw new Error(`migration ${next.name} failed`, { cause: error });
  }
  await tx.query('insert into migrations (number, name, checksum) values ($1, $2, $3)', [next.number, next.name, next.checksum]);
  return next;
}

/** Numbered from 1 without gaps, so that a file forgotten or numbered twice is seen. */
function migrationsIn(directory: URL): Migration[] {
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  return names.map((name, i) => {
    const number = Number(/^(\d{4})_/.exec(name)?.[1]);
    if (number !== i + 1) throw new Error(`migrations are numbered 0001, 0002 …: ${name} stands in place ${i + 1}`);
    const sql = readFileSync(new URL(name, directory), 'utf8');
    return { number, name, sql, checksum: toHex(createHash('sha256').update(sql).digest()) };
  });
}
