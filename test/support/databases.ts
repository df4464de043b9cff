/**
 * Runs a suite on both databases: the embedded PGlite and a real PostgreSQL.
 *
 *   eachDatabase((name, open) => {
 *     test('…', async () => { const database = await open(); … });
 *   });
 *
 * Every `open()` gives a fresh database with our migrations; all of them are closed and deleted after the suite. Where a test opens the
 * same database again, in another process or as a second replica, it asks for a place: `openDatabase(await place())`.
 * @module
 */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import type { Database } from '../../src/store/database.ts';
import { type Location, openDatabase } from '../../src/store/open.ts';
import { newDataDir } from './pglite.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';

export type Open = (options?: { migrations?: URL; at?: Location }) => Promise<Database>;

export function eachDatabase(suite: (name: Database['kind'], open: Open, place: () => Promise<Location>) => void): void {
  for (const name of ['pglite', 'postgres'] as const) describe(`on ${name}`, () => suiteOn(name, suite));
}

/** Opens as `open` does, and closes after each test what was opened in it: PostgreSQL has 100 connections for all of a suite. */
export function closedAfterEach(open: Open): () => Promise<Database> {
  const opened: Database[] = [];
  afterEach(() => Promise.all(opened.splice(0).map((database) => database.close())));
  return async () => {
    const database = await open();
    opened.push(database);
    return database;
  };
}

function suiteOn(name: Database['kind'], suite: Parameters<typeof eachDatabase>[0]): void {
  const opened: Database[] = [];
  const directories: string[] = [];
  let server: PostgresServer | undefined;

  async function place(): Promise<Location> {
    const dataDir = name === 'pglite' ? await newDataDir() : mkdtempSync(join(tmpdir(), 'countersign-test-'));
    directories.push(dataDir);
    return server === undefined
      ? { dataDir }
      : { dataDir, databaseUrl: await server.createDatabase(`t${randomUUID().replaceAll('-', '')}`) };
  }

  beforeAll(async () => {
    if (name === 'postgres') server = await startPostgres();
  });

  afterAll(async () => {
    await Promise.all(opened.map((database) => database.close()));
    await server?.stop();
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  });

  suite(
    name,
    async ({ at, ...options } = {}) => {
      const database = await openDatabase(at ?? (await place()), options);
      opened.push(database);
      return database;
    },
    place,
  );
}
