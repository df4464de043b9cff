/** The registry that a signer keeps beside its log: the same as the log makes, whatever happens; and whoever writes the disk is noticed. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Entry } from '../../src/authority/entry.ts';
import { verifyLog } from '../../src/authority/verifyLog.ts';
import { bucketOf } from '../../src/signer/recordTree.ts';
import { attempts, worldAfter } from '../authority/history.ts';
import { contentOf, createWorld, type World } from '../authority/world.ts';
import { freshDirectory } from '../support/instance.ts';
import { randomOf, runSeed } from '../support/random.ts';
import { put, storedContentOf, testLedger, vouchersFor } from './ledgers.ts';

const never = new AbortController().signal;
const directories: string[] = [];
function directory(): string {
  const made = freshDirectory();
  directories.push(made);
  return made;
}
afterEach(() => {
  for (const made of directories.splice(0)) rmSync(made, { recursive: true, force: true });
});

const seed = runSeed();

describe(`the registry that is kept (SEED=${seed})`, () => {
  test('is the one that its log makes, after any history, taken one by one or many at once, with starts in between', () => {
    fc.assert(
      fc.property(attempts, fc.string(), (tried, choices) => {
        const world = worldAfter(tried);
        const dataDir = directory();
        const random = randomOf(`${seed}/${choices}`);
        let opened = testLedger(world, dataDir);
        const confirm = (entry: Entry | undefined) => entry && opened.ledger.confirm(vouchersFor(world, entry));
        while (opened.ledger.registry.head.sequence < world.entries.length) {
          const { ledger } = opened;
          const at = ledger.registry.head.sequence;
          const last = world.entries[at + random.int(Math.min(5, world.entries.length - at))];
          if (last === undefined) throw new Error('there is another entry');
          if (random.bool()) ledger.takeOver(world.entries.slice(at, last.sequence), vouchersFor(world, last));
          else {
            if (ledger.unconfirmed !== undefined) confirm(world.entries[at - 1]);
            put(ledger, world.entries[at] ?? last);
            if (random.int(4) === 0) {
              ledger.drop();
              expect(ledger.registry.head.sequence).toBe(at);
            }
          }
          if (random.int(3) > 0) continue;
          opened.store.close();
          opened = testLedger(world, dataDir);
        }
        expect(storedContentOf(opened.ledger)).toEqual(contentOf(world.registry));
        confirm(world.entries.at(-1));
        opened.store.close();
        opened = testLedger(world, dataDir);
        expect(storedContentOf(opened.ledger)).toEqual(contentOf(world.registry));
        expect([opened.distrusted, opened.faults]).toEqual([[], []]);
        opened.store.close();
      }),
      { numRuns: 25, seed: Number(seed) || 1 },
    );
  }, 60_000);

  test('and its log are both there or neither, however often the signer is killed', async () => {
    const dataDir = directory();
    const random = randomOf(seed);
    let said = 0;
    for (let run = 0; run < 6; run++) {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'ledgerWriter.ts'), dataDir, seed], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const until = said + 2 + random.int(30);
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += String(chunk);
        said = Math.max(said, Number(text.split('\n').at(-2) ?? 0));
        if (said >= until) child.kill('SIGKILL');
      });
      await once(child, 'close');
      const { ledger, store, distrusted } = testLedger(createWorld(seed), dataDir);
      const { sequence } = ledger.registry.head;
      expect(sequence).toBeGreaterThanOrEqual(said);
      const world = createWorld(seed);
      for (let i = 0; i < sequence; i++) {
        world.wait(7);
        world.addKey();
      }
      expect(storedContentOf(ledger)).toEqual(contentOf(world.registry));
      await ledger.review(never);
      expect(distrusted).toEqual([]);
      store.close();
    }
  }, 60_000);

  test('is made out of the log where a signer has none yet', () => {
    const world = worldAfter([]);
    world.addKey();
    const dataDir = directory();
    const first = testLedger(world, dataDir);
    for (const entry of world.entries) {
      put(first.ledger, entry);
      first.ledger.confirm(vouchersFor(world, entry));
    }
    first.store.close();
    edit(dataDir, (db) => db.exec('drop table registry_rows; drop table registry_nodes; drop table registry_checkpoint'));
    const { ledger, store, distrusted } = testLedger(world, dataDir);
    expect(storedContentOf(ledger)).toEqual(contentOf(world.registry));
    expect(distrusted).toEqual([]);
    store.close();
  });
});

function edit(dataDir: string, change: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(join(dataDir, 'signer.db'));
  change(db);
  db.close();
}

describe('whoever writes the disk while the signer is stopped', () => {
  let world: World;
  let dataDir: string;
  /** The first was archived, after `before` was taken. */
  let keys: readonly [string, string];
  let before: readonly Rows[];
  type Rows = readonly [table: string, rows: readonly Record<string, string | number | Uint8Array | null>[]];

  const tables = ['registry_rows', 'registry_nodes', 'registry_checkpoint'];
  const all = (db: DatabaseSync): Rows[] => tables.map((table) => [table, db.prepare(`select * from ${table}`).all() as Rows[1][0][]]);
  /** Rows as they were, over those that are. */
  function setBack(db: DatabaseSync, only: (table: string, row: Rows[1][0]) => boolean): void {
    for (const [table, rows] of before) {
      for (const row of rows.filter((one) => only(table, one))) {
        const names = Object.keys(row);
        db.prepare(`insert or replace into ${table} (${names}) values (${names.map(() => '?')})`).run(...Object.values(row));
      }
    }
  }

  beforeEach(() => {
    world = createWorld();
    dataDir = directory();
    const take = () => {
      const { ledger, store } = testLedger(world, dataDir);
      for (const entry of world.entries.slice(ledger.registry.head.sequence)) {
        put(ledger, entry);
        ledger.confirm(vouchersFor(world, entry));
      }
      store.close();
    };
    world.addAccount(['Keys:Read']);
    keys = [world.addKey(), world.addKey()];
    take();
    edit(dataDir, (db) => (before = all(db)));
    world.wait(400);
    world.perform(world.admin, { method: 'DELETE', path: `/keys/${keys[0]}` });
    take();
  });

  const rowOf = (id: string) => `where kind = 'key' and id = '${id}'`;

  test.each<readonly [string, (db: DatabaseSync) => void]>([
    ['alters a key', (db) => db.exec(`update registry_rows set text = replace(text, 'Archived', 'Active') ${rowOf(keys[0])}`)],
    ['removes a key', (db) => db.exec(`delete from registry_rows ${rowOf(keys[0])}`)],
    ['sets a key back', (db) => setBack(db, (table, { id }) => table === 'registry_rows' && id === keys[0])],
    [
      'sets a key back, and the nodes above it',
      (db) => setBack(db, (table, row) => row.kind === 'key' && (table === 'registry_nodes' || row.id === keys[0])),
    ],
    ['sets the nodes above a key back', (db) => setBack(db, (table, row) => row.kind === 'key' && table === 'registry_nodes')],
    [
      'exchanges two keys',
      (db) => {
        const [a, b] = keys.map((id) => db.prepare(`select text from registry_rows ${rowOf(id)}`).get()?.text ?? null);
        for (const [i, text] of [b, a].entries()) db.prepare(`update registry_rows set text = ? ${rowOf(keys[i] ?? '')}`).run(text ?? null);
      },
    ],
    [
      'adds another to its place',
      (db) => db.prepare(`insert into registry_rows (kind, bucket, id, text) values ('key', ?, 'key-0', '{}')`).run(bucketOf(keys[0])),
    ],
    ['alters a node', (db) => db.exec(`update registry_nodes set digests = zeroblob(512) where kind = 'key' and level = 3`)],
    ['removes the nodes', (db) => db.exec(`delete from registry_nodes where kind = 'key'`)],
  ])('and %s is noticed when the key is asked for; the next start makes the registry anew', (_, change) => {
    edit(dataDir, change);
    const { ledger, store, faults, distrusted } = testLedger(world, dataDir);
    expect([distrusted, faults]).toEqual([[], []]);
    expect(() => ledger.registry.keys.get(keys[0])).toThrow(/key records .*not what it was/);
    expect(faults).toHaveLength(1);
    expect(() => ledger.registry).toThrow(faults[0]);
    store.close();
    repaired();
  });

  test('and adds a key that nobody asked for is noticed when it is asked for', () => {
    const id = 'key-00000-00000-forged';
    const text = JSON.stringify({ id, keyType: 'EdDSA/ed25519', status: 'Active' });
    edit(dataDir, (db) =>
      db.prepare(`insert into registry_rows (kind, bucket, id, text) values ('key', ?, ?, ?)`).run(bucketOf(id), id, text),
    );
    const { ledger, store } = testLedger(world, dataDir);
    expect(() => ledger.registry.keys.get(id)).toThrow(/is not what it was/);
    store.close();
  });

  test.each<readonly [string, (db: DatabaseSync) => void]>([
    ['an account', (db) => db.exec(`update registry_rows set text = replace(text, 'Active', 'Deleted') where kind = 'account'`)],
    ['a permission, away', (db) => db.exec(`delete from registry_rows where kind = 'permission'`)],
    [
      'an assignment, to another place',
      (db) => db.exec(`update registry_rows set bucket = (bucket + 1) % 65536 where kind = 'assignment'`),
    ],
    [
      'an assignment, doubled',
      (db) => db.exec(`insert into registry_rows select kind, bucket, id || 'x', text from registry_rows where kind = 'assignment'`),
    ],
    ['a credential', (db) => db.exec(`update registry_rows set text = replace(text, 'true', 'false') where kind = 'credential'`)],
    ['a nonce, away', (db) => db.exec(`delete from registry_rows where kind = 'nonce'`)],
    ['the checkpoint', (db) => db.exec(`update registry_checkpoint set text = replace(text, '"time":1', '"time":2')`)],
    ['the checkpoint’s signature', (db) => db.exec(`update registry_checkpoint set signature = 'AAAA'`)],
  ])('and changes %s is noticed at the start, which verifies the whole log', (_, change) => {
    edit(dataDir, change);
    repaired();
  });

  test('and sets the checkpoint back alone is noticed when what it does not vouch for is read', () => {
    edit(dataDir, (db) => setBack(db, (table) => table === 'registry_checkpoint'));
    repaired();
  });

  test('and sets all of the registry back has the log read on from there', () => {
    edit(dataDir, (db) => {
      db.exec('delete from registry_rows; delete from registry_nodes');
      setBack(db, () => true);
    });
    const { ledger, store, distrusted } = testLedger(world, dataDir);
    expect(storedContentOf(ledger)).toEqual(contentOf(world.registry));
    expect(distrusted).toEqual([]);
    store.close();
  });

  test('and takes the checkpoint of another signer is noticed at the start', () => {
    const [, other] = world.signers;
    const elsewhere = directory();
    const second = testLedger({ root: world.root, signers: other === undefined ? [] : [other] }, elsewhere);
    for (const entry of world.entries) {
      put(second.ledger, entry);
      second.ledger.confirm(vouchersFor(world, entry));
    }
    const taken = second.store.registry.checkpoint();
    second.store.close();
    edit(dataDir, (db) =>
      db.prepare('update registry_checkpoint set text = ?, signature = ?').run(taken?.text ?? '', taken?.signature ?? ''),
    );
    repaired();
  });

  /** The start said why it did not go on from there, and came to the same registry all the same; after it, all is well. */
  function repaired(): void {
    const { ledger, store } = testLedger(world, dataDir);
    const verified = verifyLog(world.root, world.entries);
    expect(verified.problem).toBeUndefined();
    if (verified.problem === undefined) expect(storedContentOf(ledger)).toEqual(contentOf(verified.registry));
    store.close();
    const next = testLedger(world, dataDir);
    expect(storedContentOf(next.ledger)).toEqual(contentOf(world.registry));
    expect(next.distrusted).toEqual([]);
    next.store.close();
  }
});

describe('the review', () => {
  async function ledgerOf(entries: number) {
    const world = createWorld();
    const dataDir = directory();
    const { ledger, store } = testLedger(world, dataDir);
    for (let i = 0; i < entries; i++) {
      world.wait(7);
      world.addKey();
    }
    const last = world.entries.at(-1);
    if (last !== undefined) ledger.takeOver(world.entries, vouchersFor(world, last));
    store.close();
    return { world, dataDir };
  }

  test('verifies what an earlier start has, and what comes meanwhile', async () => {
    const { world, dataDir } = await ledgerOf(30);
    const { ledger, store } = testLedger(world, dataDir);
    const reviewed = ledger.review(never);
    for (let i = 0; i < 5; i++) {
      world.addKey();
      const entry = world.entries.at(-1);
      if (entry === undefined) throw new Error('a key that was asked for is in the log');
      put(ledger, entry);
      ledger.confirm(vouchersFor(world, entry));
      await new Promise(setImmediate);
    }
    expect(await reviewed).toBe(35);
    store.close();
  });

  test('has nothing to do after a start that has verified everything', async () => {
    const { world, dataDir } = await ledgerOf(3);
    edit(dataDir, (db) => db.exec('delete from registry_checkpoint'));
    const { ledger, store } = testLedger(world, dataDir);
    expect(await ledger.review(never)).toBe(0);
    store.close();
  });

  test('stops when the signer does', async () => {
    const { world, dataDir } = await ledgerOf(30);
    const { ledger, store, faults } = testLedger(world, dataDir);
    const stopping = new AbortController();
    const reviewed = ledger.review(stopping.signal);
    stopping.abort();
    await expect(reviewed).rejects.toThrow();
    expect(faults).toEqual([]);
    store.close();
  });

  test.each([
    [
      'altered',
      (n: number) => `update entries set text = replace(text, '"body":"ey', '"body":"eX') where sequence = ${n}`,
      (n: number) => `entry ${n} does not verify`,
    ],
    [
      'missing',
      (n: number) => `delete from entries where sequence = ${n}`,
      (n: number) => `entry ${n} does not verify: entry ${n + 1} does not follow`,
    ],
  ])('finds an old entry that is %s, nothing is judged any more, and the next start names it', async (_, sql, message) => {
    const { world, dataDir } = await ledgerOf(300);
    const sequence = 1 + randomOf(seed).int(40); // before what a start looks at
    edit(dataDir, (db) => db.exec(sql(sequence)));
    const { ledger, store, faults } = testLedger(world, dataDir);
    await expect(ledger.review(never)).rejects.toThrow(message(sequence));
    expect(faults).toHaveLength(1);
    expect(() => ledger.registry).toThrow(message(sequence));
    store.close();
    expect(() => testLedger(world, dataDir)).toThrow(`entry ${sequence} was`);
  });
});
