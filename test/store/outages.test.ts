import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/store/open.ts';
import { maintainOnce } from '../../src/store/pglite/maintenance.ts';
import { eachDatabase } from '../support/databases.ts';

const migrations = new URL('./migrations/', import.meta.url);
const unavailable = { name: 'Refusal', code: 'Unavailable', status: 503 };

eachDatabase((name, open) => {
  test.runIf(name === 'postgres')('a session that is ended fails its statement as unavailable, and the next gets another', async () => {
    const database = await open({ migrations });
    const ended = database.query('select pg_terminate_backend(pg_backend_pid())');
    await expect(ended).rejects.toMatchObject({ ...unavailable, cause: { code: '57P01' } });
    expect(await database.query('select 1 as one')).toStrictEqual([{ one: 1 }]);
  });

  test('a closed database refuses, and may be closed twice', async () => {
    const database = await open({ migrations });
    await database.close();
    await database.close();
    await expect(database.query('select 1')).rejects.toMatchObject(unavailable);
    await expect(database.transaction(async () => 1)).rejects.toMatchObject(unavailable);
  });
});

describe('the embedded database', () => {
  const root = mkdtempSync(join(tmpdir(), 'countersign-test-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test('is not opened by two, and says who has it', async () => {
    const dataDir = join(root, 'twice');
    const database = await openDatabase({ dataDir }, { migrations });
    await expect(openDatabase({ dataDir }, { migrations })).rejects.toThrow(`in use by another process (pid ${process.pid})`);
    await database.close();
    await (await openDatabase({ dataDir }, { migrations })).close();
  });

  test('that is damaged is refused with what PostgreSQL says', async () => {
    const dataDir = join(root, 'damaged');
    await (await openDatabase({ dataDir }, { migrations })).close();
    writeFileSync(join(dataDir, 'database', 'postgres', 'global', 'pg_control'), new Uint8Array(8192));
    await expect(openDatabase({ dataDir }, { migrations })).rejects.toThrow(
      /database\/postgres cannot be opened: [\s\S]*initialized with PG_CONTROL_VERSION 0/,
    );
  });

  test('of another version is refused', async () => {
    const dataDir = join(root, 'version');
    await (await openDatabase({ dataDir }, { migrations })).close();
    writeFileSync(join(dataDir, 'database', 'postgres', 'PG_VERSION'), '9\n');
    await expect(openDatabase({ dataDir }, { migrations })).rejects.toThrow(/incompatible/);
  });

  test('is not made where a file is in the way', async () => {
    const dataDir = join(root, 'file');
    writeFileSync(dataDir, 'not a directory');
    await expect(openDatabase({ dataDir }, { migrations })).rejects.toThrow(`${dataDir}/database cannot be used as a data directory`);
  });

  test('whose making was cut short is made anew', async () => {
    const dataDir = join(root, 'cut');
    const unfinished = join(dataDir, 'database', 'postgres.unfinished');
    mkdirSync(unfinished, { recursive: true });
    writeFileSync(join(unfinished, 'PG_VERSION'), '18\n');
    await (await openDatabase({ dataDir }, { migrations })).close();
    expect(existsSync(unfinished)).toBe(false);
  });

  test('answers nothing more when PostgreSQL has crashed, and opens again with all that was committed', async () => {
    const dataDir = join(root, 'crashed');
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

  test('writes a checkpoint when its log has grown, and vacuums what has changed', async () => {
    const database = await openDatabase({ dataDir: join(root, 'maintenance') }, { migrations });
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
});

test('a PostgreSQL that is not there is named as the reason', async () => {
  const opening = openDatabase({ databaseUrl: 'postgres://nobody@127.0.0.1:1/nothing', dataDir: tmpdir() });
  await expect(opening).rejects.toThrow('PostgreSQL (DATABASE_URL) cannot be used: connect ECONNREFUSED');
});
