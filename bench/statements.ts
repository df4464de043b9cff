/**
 * `node bench/statements.ts`: the two statements of the signing path by themselves, on the embedded database and on PostgreSQL, one at a time
 * and a dozen together, beside a bare insert. Of a request: milliseconds of the clock, and of this process's processor time, which the
 * embedded database is part of.
 */

import { rmSync } from 'node:fs';
import { createSignatureStore } from '../src/features/signatures/store.ts';
import type { Database } from '../src/store/database.ts';
import { openDatabase } from '../src/store/open.ts';
import { attempt, insertKey } from '../test/support/attempts.ts';
import { newDataDir } from '../test/support/pglite.ts';
import { startPostgres } from '../test/support/postgres.ts';
import { measure } from './measure.ts';

const runs = 2000;
const warmUps = 3;
const concurrencies = [1, 12] as const;
const value = 'a'.repeat(400);
const signatures = [{ r: `0x${'33'.repeat(32)}`, s: `0x${'44'.repeat(32)}`, recid: 0, encoded: `0x${'55'.repeat(65)}` }];

async function measured(database: Database): Promise<Record<string, string | number>[]> {
  await insertKey(database);
  await database.query('create table bare (value text)');
  const store = createSignatureStore(database);
  const begun: string[] = [];
  const works = {
    'bare insert': () => database.query('insert into bare (value) values ($1)', [value]),
    async begin() {
      const next = attempt();
      if ((await store.begin(next)) !== 'begun') throw new Error('a request has not begun');
      begun.push(next.request.id);
    },
    async move() {
      const id = begun.pop() ?? '';
      if (!(await store.move('sign', { id, date: new Date(), signatures }))) throw new Error('a request has not moved');
    },
  };
  const rows = [];
  for (let round = 0; round <= warmUps; round++) {
    for (const concurrency of concurrencies) {
      for (const [what, work] of Object.entries(works)) {
        const [began, before] = [performance.now(), process.cpuUsage()];
        await measure(runs, concurrency, work);
        const { user, system } = process.cpuUsage(before);
        const of = (ms: number) => (ms / runs).toFixed(3);
        if (round < warmUps) continue;
        rows.push({ database: database.kind, what, concurrency, clock: of(performance.now() - began), cpu: of((user + system) / 1000) });
      }
    }
  }
  await database.close();
  return rows;
}

const server = await startPostgres();
const dataDir = await newDataDir();
try {
  console.table([
    ...(await measured(await openDatabase({ dataDir }))),
    ...(await measured(await openDatabase({ dataDir, databaseUrl: await server.createDatabase('statements') }))),
  ]);
} finally {
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
