import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { migrate } from '../../src/store/migrate.ts';
import { openDatabase } from '../../src/store/open.ts';
import { eachDatabase } from '../support/databases.ts';

const root = mkdtempSync(join(tmpdir(), 'countersign-test-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

eachDatabase((name, open, place) => {
  let directory: string;
  let migrations: URL;

  beforeEach(() => {
    directory = mkdtempSync(join(root, 'migrations-'));
    migrations = pathToFileURL(`${directory}/`);
    cpSync(new URL('./migrations/', import.meta.url), directory, { recursive: true });
  });

  const add = (file: string, sql: string) => writeFileSync(join(directory, file), sql);
  const second = 'alter table marks add column note text; create index on marks (note);';

  test('what is missing is applied, in order and once', async () => {
    const database = await open({ migrations });
    await database.query('insert into marks (number) values (7)');
    add('0002_notes.sql', second);
    add('0003_filled.sql', `update marks set note = 'filled'`);
    await migrate(database, migrations);
    await migrate(database, migrations);
    expect(await database.query('select number, note from marks')).toStrictEqual([{ number: 7, note: 'filled' }]);
    const applied = await database.query('select number, name from migrations order by number');
    expect(applied).toStrictEqual([
      { number: 1, name: '0001_things.sql' },
      { number: 2, name: '0002_notes.sql' },
      { number: 3, name: '0003_filled.sql' },
    ]);
  });

  test('one that fails leaves nothing of itself, and keeps what went before', async () => {
    const database = await open({ migrations });
    add('0002_notes.sql', second);
    add('0003_broken.sql', 'create table half (id text); select 1 / 0;');
    await expect(migrate(database, migrations)).rejects.toMatchObject({
      message: 'migration 0003_broken.sql failed',
      cause: { code: '22012' },
    });
    const [state] = await database.query(`select max(number) as last, to_regclass('half') as half from migrations`);
    expect(state).toStrictEqual({ last: 2, half: null });
  });

  test('one that was changed after it was applied is refused', async () => {
    const database = await open({ migrations });
    add('0001_things.sql', 'create table other (id text)');
    await expect(migrate(database, migrations)).rejects.toThrow('migration 0001_things.sql was changed after it had been applied');
  });

  test('a database of a newer version is refused', async () => {
    const database = await open({ migrations });
    add('0002_notes.sql', second);
    await migrate(database, migrations);
    rmSync(join(directory, '0002_notes.sql'));
    await expect(migrate(database, migrations)).rejects.toThrow('newer than this program: it has migration 0002_notes.sql');
  });

  test.each(['0003_gap.sql', '0001_twice.sql', 'unnumbered.sql'])('a file out of its place is refused: %s', async (file) => {
    const database = await open({ migrations });
    add(file, 'select 1');
    await expect(migrate(database, migrations)).rejects.toThrow(/migrations are numbered 0001, 0002/);
  });

  test.runIf(name === 'postgres')('replicas that start together take turns', async () => {
    const at = await place();
    add('0002_notes.sql', second);
    add('0003_slow.sql', 'select pg_sleep(0.2)');
    const replicas = await Promise.all(Array.from({ length: 6 }, () => openDatabase(at, { migrations })));
    const [first] = replicas;
    expect(await first?.query('select number from migrations order by number')).toStrictEqual([1, 2, 3].map((number) => ({ number })));
    await Promise.all(replicas.map((replica) => replica.close()));
  });
});
