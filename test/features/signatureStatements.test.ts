import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { spendEntry } from '../../src/features/audit/store.ts';
import { createSignatureStore } from '../../src/features/signatures/store.ts';
import type { Database } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrate.ts';
import { attempt, insertKey } from '../support/attempts.ts';
import { eachDatabase } from '../support/databases.ts';

const migrations = new URL('../../src/store/migrations/', import.meta.url);
const directory = mkdtempSync(join(tmpdir(), 'countersign-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

eachDatabase((name, open) => {
  async function withKey(): Promise<Database> {
    const database = await open();
    await insertKey(database);
    return database;
  }

  test('a request is found by its key, whatever size its table had when the statement was planned', async () => {
    const database = await withKey();
    const [rounds, each] = [20, 5];
    const reads = await database.transaction(async (tx) => {
      // All that the statements have read is counted, before it is committed.
      const store = createSignatureStore({ ...database, query: tx.query });
      for (let round = 0; round < rounds; round++) {
        const attempts = Array.from({ length: each }, () => attempt());
        expect(await Promise.all(attempts.map(store.begin))).toEqual(attempts.map(() => 'begun'));
        const moves = attempts.map(({ request }) =>
          store.move('sign', { id: request.id, date: new Date(), signatures: [{ r: '0x01', s: '0x02' }] }),
        );
        expect(await Promise.all(moves)).toEqual(attempts.map(() => true));
      }
      return tx.query<{ table: string; whole: number; byIndex: number }>(`
        select relname as table, seq_tup_read as whole, idx_tup_fetch as "byIndex" from pg_stat_xact_user_tables
        where relname in ('keys', 'signature_requests') order by relname`);
    });
    const requests = rounds * each;
    expect(reads).toEqual([
      { table: 'keys', whole: 0, byIndex: requests },
      { table: 'signature_requests', whole: 0, byIndex: requests },
    ]);
  });

  test('of attempts that use one action at once one begins, and the action is spent', async () => {
    const store = createSignatureStore(await withKey());
    const once = attempt();
    const others = Array.from({ length: 4 }, () => ({ audit: once.audit, request: attempt().request }));
    const other = attempt();
    expect(await Promise.all([once, ...others, other].map(store.begin))).toEqual(['begun', ...others.map(() => 'actionUsed'), 'begun']);
    expect(await store.begin(once)).toBe('actionUsed');
  });

  test('an attempt that does not begin has spent its action, and those beside it begin', async () => {
    const database = await withKey();
    const store = createSignatureStore(database);
    const refused = attempt({ keyId: 'key-none' });
    const foreign = attempt({ organisationId: 'or-none' });
    const [first, second] = [attempt({ externalId: 'one' }), attempt({ externalId: 'one' })];
    const answers = await Promise.all([refused, foreign, first, second, attempt()].map(store.begin));
    expect(answers.slice(0, 2)).toEqual(['notBegun', 'notBegun']);
    expect(answers.slice(2, 4).sort()).toEqual(['begun', 'notBegun']);
    expect(answers[4]).toBe('begun');
    for (const { audit } of [refused, foreign, first, second]) expect(await spendEntry(database, audit)).toBe(false);
    expect(await store.begin(attempt({ externalId: 'one' }))).toBe('notBegun');
  });

  test('what was signed under an older schema keeps the action that asked for it', async () => {
    const older = join(directory, name);
    for (const file of readdirSync(migrations).filter((each) => each < '0010')) {
      cpSync(fileURLToPath(new URL(file, migrations)), join(older, file));
    }
    const database = await open({ migrations: pathToFileURL(`${older}/`) });
    await database.script(`
      insert into audit_log (id, nonce, organisation_id, user_id, token_id, method, path, payload_hash, credential_uuid, assertion, date_expires, date_performed)
        select id, nonce, 'or', 'us', 'to', 'POST', '/', '', 'cr', '{}', now(), now() from (values ('uj-1', 'nonce-1'), ('uj-2', 'nonce-2')) as old (id, nonce);
      insert into signature_requests (id, organisation_id, key_id, requester_id, requester_token_id, audit_id, request_body, status, executing_by, date_requested)
        values ('sig-2', 'or', 'key', 'us', 'to', 'uj-2', '{}', 'Executing', 'rep', now());`);
    await migrate(database, migrations);
    expect(await database.query('select id, nonce from signature_requests')).toEqual([{ id: 'sig-2', nonce: 'nonce-2' }]);
    const { audit } = attempt();
    expect(await spendEntry(database, { ...audit, nonce: 'nonce-1' })).toBe(false);
    expect(await spendEntry(database, audit)).toBe(true);
  });
});
