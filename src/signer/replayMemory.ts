/**
 * Which authorisations this signer has taken part in: once for each payload, ever. In a file of its own, because it is written with every
 * signature and forgotten when what it holds has expired.
 *
 * A commit is in the kernel's hands when `spend` resolves, so that it outlives this process however that ends; only a machine that loses its
 * power may lose the last of them. Such a machine has another boot id afterwards: then nothing is taken that may have been made before this
 * start. Where machines have no boot id, every commit is synced instead.
 * @module
 */

import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { actionLifetimeSeconds, clockSkewSeconds } from '../authority/authorise.ts';
import type { Clock } from '../base/clock.ts';
import { Refusal } from '../base/errors.ts';

export interface ReplayMemory {
  /**
   * Remembers that payload `index` of the request with this nonce is being signed: by the time it resolves. Uses of one turn of the event
   * loop share a commit.
   * @param expiresAt unix seconds, of the authorisation
   * @throws {Refusal} UserActionUsed when it was before; Forbidden when this memory does not reach back far enough to tell
   */
  spend(use: { nonce: string; index: number; expiresAt: number }): Promise<void>;
  /** From now on nothing is taken that may have been authorised before. Durable when it returns. */
  becomeBlind(): void;
  close(): void;
}

/**
 * By expiry first: what is written at one time stands together, in few pages, and so does what is forgotten. That no nonce serves twice,
 * whatever its expiry, is for `recentNames` to say.
 */
const schema = `
  create table if not exists uses (expires_at integer not null, nonce text not null, part integer not null,
    primary key (expires_at, nonce, part)) strict, without rowid;
  create table if not exists state (name text primary key, value text not null) strict, without rowid;
`;
/** How it was kept before. */
const fromSpent = `
  begin immediate;
  insert or ignore into uses (expires_at, nonce, part) select expires_at, nonce, part from spent;
  drop table spent;
  commit;
`;
/** What has expired is dropped after so many uses, and so many rows at once at most: no use waits for a long one. */
const usesPerPurge = 256;
const rowsPerPurge = 1024;
/** Kept longer than needed, should a clock be set back. */
const graceSeconds = 600;

/**
 * @param hasHistory whether this signer may have signed before: then a memory that is not there was lost
 * @throws {Error} if another process holds it
 */
export function openReplayMemory({
  dataDir,
  clock,
  hasHistory,
  bootId = bootIdOf(),
}: {
  dataDir: string;
  clock: Clock;
  hasHistory: boolean;
  bootId?: string | undefined;
}): ReplayMemory {
  const file = join(dataDir, 'spent.db');
  const isNew = !existsSync(file);
  const db = new DatabaseSync(file);
  try {
    chmodSync(file, 0o600);
    db.exec(
      `pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = ${bootId === undefined ? 'full' : 'normal'};`,
    );
    db.exec(`begin immediate; ${schema} commit;`);
    if (hasTable(db, 'spent')) db.exec(fromSpent);
  } catch (cause) {
    db.close();
    throw new Error(`the memory of this signer in ${file} cannot be opened; is another signer running on it?`, { cause });
  }
  const selectState = db.prepare('select value from state where name = ?');
  const putState = db.prepare('insert into state (name, value) values (?, ?) on conflict (name) do update set value = excluded.value');
  const begin = db.prepare('begin immediate');
  const end = db.prepare('commit');
  const add = db.prepare('insert into uses (expires_at, nonce, part) values (?, ?, ?) on conflict do nothing');
  const all = db.prepare('select nonce, part from uses');
  const purgeSome = db.prepare(`
    delete from uses where (expires_at, nonce, part) in
      (select expires_at, nonce, part from uses where expires_at <= ? order by expires_at limit ?)
  `);
  const read = (name: string) => (selectState.get(name) as { value: string } | undefined)?.value;

  /** Unix seconds: what expires up to here may have been spent without this memory knowing. */
  let blindUntil = Number(read('blindUntil') ?? 0);
  const sameBoot = read('bootId') === (bootId ?? '');
  const mayBeLost = isNew || read('bootId') === undefined ? hasHistory : bootId !== undefined && !sameBoot;
  /** What is authorised after now expires after this. */
  const blindFromNow = () => Math.max(blindUntil, Math.ceil(clock() / 1000) + actionLifetimeSeconds + clockSkewSeconds);
  if (mayBeLost) blindUntil = blindFromNow();
  db.exec('begin immediate');
  putState.run('blindUntil', String(blindUntil));
  putState.run('bootId', bootId ?? '');
  db.exec('commit');

  const names = recentNames(clock);
  for (const { nonce, part } of all.iterate()) names.add(`${nonce}/${part}`);

  let uses = 0;
  function purge(): void {
    const before = Math.floor(clock() / 1000) - graceSeconds;
    purgeSome.run(before, rowsPerPurge);
    if (before <= blindUntil) return;
    blindUntil = before;
    putState.run('blindUntil', String(blindUntil));
  }

  /** Those that the open transaction is for. */
  let waiting: PromiseWithResolvers<void>[] = [];

  function commit(): void {
    const committed = waiting;
    waiting = [];
    if (committed.length === 0) return;
    try {
      uses += committed.length;
      if (uses >= usesPerPurge) {
        uses = 0;
        purge();
      }
      end.run();
      for (const { resolve } of committed) resolve();
    } catch (error) {
      if (db.isTransaction) db.exec('rollback');
      for (const { reject } of committed) reject(error);
    }
  }

  return {
    async spend({ nonce, index, expiresAt }) {
      if (expiresAt <= blindUntil) {
        throw new Refusal('Forbidden', 'the authorisation may have been made before this signer lost its memory of what it has signed');
      }
      if (!names.add(`${nonce}/${index}`)) throw new Refusal('UserActionUsed');
      if (waiting.length === 0) {
        begin.run();
        setImmediate(commit);
      }
      const use = Promise.withResolvers<void>();
      waiting.push(use);
      if (add.run(expiresAt, nonce, index).changes !== 1) {
        use.resolve();
        throw new Refusal('UserActionUsed');
      }
      return use.promise;
    },
    close() {
      commit();
      db.close();
    },
    becomeBlind() {
      blindUntil = blindFromNow();
      putState.run('blindUntil', String(blindUntil));
      commit(); // what is under way shares it
    },
  };
}

/** What was spent, for as long at least as a request may be good, in two generations: the older is dropped whole. */
function recentNames(clock: Clock): { add(name: string): boolean } {
  let [recent, older] = [new Set<string>(), new Set<string>()];
  let since = clock();
  return {
    /** @returns false if it is there already */
    add(name) {
      if (clock() - since >= 1000 * (actionLifetimeSeconds + clockSkewSeconds)) {
        [recent, older] = [new Set(), recent];
        since = clock();
      }
      if (recent.has(name) || older.has(name)) return false;
      recent.add(name);
      return true;
    },
  };
}

function hasTable(db: DatabaseSync, name: string): boolean {
  return db.prepare("select 1 from sqlite_schema where type = 'table' and name = ?").get(name) !== undefined;
}

/** Another after every start of the machine (Linux); undefined where there is none. */
function bootIdOf(): string | undefined {
  const file = '/proc/sys/kernel/random/boot_id';
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}
