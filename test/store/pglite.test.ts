import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { openDatabase } from '../../src/store/open.ts';
import { maintainOnce } from '../../src/store/pglite/maintenance.ts';
import { newDataDir } from '../support/pglite.ts';

const migrations = new URL('./migrations/', import.meta.url);
const unavailable = { name: 'Refusal', code: 'Unavailable', status: 503 };

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

const noted = (directory: string) => {
  directories.push(directory);
  return directory;
};
const empty = () => noted(mkdtempSync(join(tmpdir(), 'countersign-test-')));
const prepared = async () => noted(await newDataDir());

test('an embedded database is not opened by two, and says who has it', async () => {
  const dataDir = await prepared();
  const database = await openDatabase({ dataDir }, { migrations });
  await expect(openDatabase({ dataDir }, { migrations })).rejects.toThrow(`in use by another process (pid ${process.pid})`);
  await database.close();
  await (await openDatabase({ dataDir }, { migrations })).close();
});

test('one that is damaged is refused with what PostgreSQL says', async () => {
  const dataDir = await prepared();
  writeFileSync(join(dataDir, 'database', 'postgres', 'global', 'pg_control'), new Uint8Array(8192));
  await expect(openDatabase({ dataDir }, { migrations })).rejects.toThrow(
    /database\/postgres cannot be opened: [\s\S]*initialized with PG_CONTROL_VERSION 0/,
  );
});

test('one of another version is refused', async () => {
  const dataDir = await prepared();
  writeFileSync(join(dataDir, 'database', 'postgres', 'PG_VERSION'), '9\n');
  await expect(openDatabase({ dataDir }, { migrations })).rejects.toThrow(/incompatible/);
});

test('none is made where a file is in the way', async () => {
  const dataDir = join(empty(), 'file');
  writeFileSync(dataDir, 'not a directory');
  await expect(openDatabase({ dataDir }, { migrations })).rejects.toThrow(`${dataDir}/database cannot be used as a data directory`);
});

test('one whose making was cut short is made anew', async () => {
  const dataDir = empty();
  const unfinished = join(dataDir, 'database', 'postgres.unfinished');
  mkdirSync(unfinished, { recursive: true });
  writeFileSync(join(unfinished, 'PG_VERSION'), '18\n');
  await (await openDatabase({ dataDir }, { migrations })).close();
  expect(existsSync(unfinished)).toBe(false);
});

test('it answers nothing more when PostgreSQL has crashed, and opens again with all that was committed', async () => {
  const dataDir = await prepared();
  const database = await openDatabase({ dataDir }, { migrations });
  await database.query('insert into marks values (1)');

  const log = join(dataDir, 'database', 'postgres', 'pg_wal');
  renameSync(log, `${log}.away`);
  const results = await Promise.allSettled([
    database.query('insert into marks select * from generate_series(10, 1000000)'),
    ...Array.from({ length: 20 }, () => database.query('select 1')),
    database.transaction((tx) => tx.query('select 1')),
  ]);
  for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: unavailable });
  await expect(database.query('select 1')).rejects.toMatchObject(unavailable);
  await database.close();

  renameSync(`${log}.away`, log);
  const again = await openDatabase({ dataDir }, { migrations });
  expect(await again.query('select number from marks')).toStrictEqual([{ number: 1 }]);
  await again.close();
});

test('it writes a checkpoint when its log has grown, and vacuums what has changed', async () => {
  const database = await openDatabase({ dataDir: await prepared() }, { migrations });
  const redo = async () => (await database.query('select redo_lsn::text from pg_control_checkpoint()'))[0]?.redo_lsn;
  const before = await redo();
  await maintainOnce(database);
  expect(await redo()).toBe(before);

  await database.query('insert into marks select * from generate_series(1, 400000)');
  await database.query('update marks set number = -number');
  await maintainOnce(database);
  expect(await redo()).not.toBe(before);
  const [marks] = await database.query(
    `select n_dead_tup as dead, vacuum_count as vacuums from pg_stat_user_tables where relname = 'marks'`,
  );
  expect(marks).toStrictEqual({ dead: 0, vacuums: 1 });
  await database.close();
});

test('it is refused when a commit is not followed by a sync to disk', async () => {
  const withoutSync = fileURLToPath(new URL('./withoutSync.ts', import.meta.url));
  const openModule = new URL('../../src/store/open.ts', import.meta.url).href;
  const program = `import(${JSON.stringify(openModule)})
    .then(({ openDatabase }) => openDatabase({ dataDir: ${JSON.stringify(await prepared())} }))
    .catch((error) => console.log(error.message))`;
  const { stdout } = spawnSync(process.execPath, ['--import', withoutSync, '-e', program], { encoding: 'utf8' });
  expect(stdout).toMatch(/cannot be opened: a commit was not followed by a sync to disk\n$/);
});
