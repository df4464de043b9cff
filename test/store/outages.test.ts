import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/store/open.ts';
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

test('a PostgreSQL that is not there is named as the reason', async () => {
  const opening = openDatabase({ databaseUrl: 'postgres://nobody@127.0.0.1:1/nothing', dataDir: tmpdir() });
  await expect(opening).rejects.toThrow('PostgreSQL (DATABASE_URL) cannot be used: connect ECONNREFUSED');
});
