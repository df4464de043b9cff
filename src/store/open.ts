/**
 * Opens the database of a configuration: PostgreSQL when there is a URL, else the embedded one in the data directory.
 * @module
 */

import { join } from 'node:path';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';
import { openPglite } from './pglite/open.ts';
import { openPostgres } from './postgres.ts';

export interface Location {
  /** `postgres://…`; absent: the embedded database. */
  readonly databaseUrl?: string | undefined;
  /** The embedded database stands in `database` below it. */
  readonly dataDir: string;
}

const ourMigrations = new URL('./migrations/', import.meta.url);

/**
 * A database that is durable (tried, not believed) and has today's schema.
 * @throws {Error} saying what is wrong with the database and where it is
 */
export async function openDatabase(location: Location, { migrations = ourMigrations } = {}): Promise<Database> {
  const database =
    location.databaseUrl === undefined ? await openPglite(join(location.dataDir, 'database')) : await openPostgres(location.databaseUrl);
  try {
    await migrate(database, migrations);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}
