/**
 * What a signer keeps: a SQLite file of its own (write-ahead log, every commit synced). Secrets stand in it sealed only.
 * One process writes: a second signer on the same directory is refused, and a killed one leaves no trace. Others may read what was
 * committed while it runs.
 * @module
 */

import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { assert } from '../base/errors.ts';
import type { KeyType } from '../base/keyTypes.ts';
import { holdLock } from '../lock.ts';
import { type RegistryRows, registryRowsIn } from './registryRows.ts';

export interface SignerStore extends SignerSnapshot {
  /** @returns false, writing nothing, if the name has a value */
  addSecret(name: string, sealed: Uint8Array): boolean;
  /** Replaces what was there. */
  putSecret(name: string, sealed: Uint8Array): void;
  removeSecret(name: string): void;
  /** What counts, the newest first: the settled share, and before it what was confirmed since. */
  sharesOf(keyId: string): readonly SealedShare[];
  /** @returns false, writing nothing, if the key has a share, or one that is to be */
  addShare(keyId: string, share: SealedShare): boolean;
  /** Adds it, or replaces the one that was there. */
  putShare(keyId: string, share: SealedShare): void;
  /** Shares that were added or changed after the change of this number, in the order of their last changes. */
  changedAfter(change: number, count: number): readonly (NamedShare & { readonly change: number })[];
  /** Shares that are to follow the one a key has. */
  readonly successors: SuccessorStore;
  /** Leaves no copy of what was overwritten in the write-ahead log, unless somebody is reading it. */
  sweep(): void;
  /** Seals everything anew, all of it or nothing, and leaves no copy of what it was in the files of the store. */
  reseal(anew: { secret: (secret: SealedSecret) => Uint8Array; share: (share: NamedShare) => Uint8Array }): void;
  /** This signer's copy of the authority log. */
  readonly log: LogStore;
  /** The registry that the log makes. Written together with the log: `log.atomically`. */
  readonly registry: RegistryRows;
}

/** What may be read of a store. */
export interface SignerSnapshot {
  /** One sealed value by name; undefined if there is none. */
  readSecret(name: string): Uint8Array | undefined;
  /** One after the other. */
  secrets(): Iterable<SealedSecret>;
  /** Of each key the newest that counts. */
  shares(): Iterable<NamedShare>;
  /** Of shares, and of entries of the log. */
  count(): { readonly keys: number; readonly sequence: number };
  readonly log: Pick<LogStore, 'all'>;
  close(): void;
}

export interface SealedSecret {
  readonly name: string;
  readonly sealed: Uint8Array;
}

export interface NamedShare extends SealedShare {
  readonly keyId: string;
}

/**
 * A share on its way (`succession.ts`): prepared, then confirmed, then settled, which makes it the key's share and ends the one before.
 * Its columns beside the share are what it takes to check that everybody has confirmed it.
 */
export interface Successor extends Omit<SealedShare, 'sealed'> {
  readonly keyId: string;
  /** Null at a signer that holds nothing of the key any more, once this is settled. */
  readonly sealed: Uint8Array | null;
  /** The session that made it. */
  readonly session: Uint8Array;
  /** JSON: the participants of the session. */
  readonly everybody: string;
  /** What each of them signs. */
  readonly confirmation: Uint8Array;
  /** Hash of the new sharing. */
  readonly sharing: Uint8Array;
  /** JSON, by participant: their signatures; null while it is only prepared. */
  readonly confirmations: string | null;
}

/** Durable when each of them returns. */
export interface SuccessorStore {
  /** Ascending by epoch. */
  of(keyId: string): readonly Successor[];
  /** In place of all successors of the key that come after epoch `base`. */
  prepare(successor: Successor, base: number): void;
  confirm(keyId: string, epoch: number, confirmations: string): void;
  /** Makes it the key's share; what came before is overwritten. */
  settle(keyId: string, epoch: number): void;
  /** All after this epoch. */
  drop(keyId: string, epoch: number): void;
  /** Keys with successors, in order, after `keyId`. */
  keys(after: string, count: number): readonly string[];
}

/** Durable when each of them returns. */
export interface LogStore {
  /** From `from` on, in order. */
  read(from: number, count: number): readonly StoredEntry[];
  /** The end of the log. */
  last(): StoredEntry | undefined;
  /** All of it, one after the other. */
  all(): Iterable<StoredEntry>;
  add(entries: readonly StoredEntry[]): void;
  confirm(sequence: number, vouchers: string): void;
  /** This entry and all after it. */
  dropFrom(sequence: number): void;
  /** All that `work` writes to this store, or nothing of it. */
  atomically<T>(work: () => T): T;
}

export interface StoredEntry {
  readonly sequence: number;
  /** As `encodeEntry` writes it. */
  readonly text: string;
  /** JSON; null while nobody has shown any. */
  readonly vouchers: string | null;
}

export interface SealedShare {
  /** Counts refreshes: shares of different epochs do not combine. */
  readonly epoch: number;
  readonly keyType: KeyType;
  readonly publicKey: Uint8Array;
  readonly sealed: Uint8Array;
}

const schema = `
  create table if not exists secrets (name text primary key, sealed blob not null) strict, without rowid;
  create table if not exists shares (
    key_id text primary key, epoch integer not null, key_type text not null, public_key blob not null, sealed blob not null
  ) strict, without rowid;
  create table if not exists successors (
    key_id text not null, epoch integer not null, key_type text not null, public_key blob not null, sealed blob, session blob not null,
    everybody text not null, confirmation blob not null, sharing blob not null, confirmations text, primary key (key_id, epoch)
  ) strict, without rowid;
  create table if not exists entries (sequence integer primary key, text text not null, vouchers text) strict;
  create table if not exists changes (key_id text primary key, number integer not null unique) strict, without rowid;
  create trigger if not exists share_added after insert on shares begin
    insert into changes select new.key_id, coalesce(max(number), 0) + 1 from changes where true
      on conflict (key_id) do update set number = excluded.number;
  end;
  create trigger if not exists share_changed after update on shares begin
    insert into changes select new.key_id, coalesce(max(number), 0) + 1 from changes where true
      on conflict (key_id) do update set number = excluded.number;
  end;
  insert into changes select key_id, row_number() over (order by key_id) from shares where not exists (select 1 from changes);
`;

/** A signer whose service was killed ends by itself, but not before it has finished what it is computing. */
const lockWithinMs = 3_000;

/** @throws {Error} if another process holds the directory, and keeps it */
export function openSignerStore(dataDir: string): SignerStore {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  try {
    return lockedStore(dataDir);
  } catch (cause) {
    throw new Error(`the signer's store in ${dataDir} cannot be opened; is another signer running on it?`, { cause });
  }
}

function lockedStore(dataDir: string): SignerStore {
  const lock = holdLock(join(dataDir, 'signer.lock'), lockWithinMs);
  const file = fileOf(dataDir);
  const db = new DatabaseSync(file, { timeout: lockWithinMs });
  try {
    chmodSync(file, 0o600); // the log beside it takes the same mode
    db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on;');
    db.exec(`begin immediate; ${schema} commit;`);
  } catch (error) {
    db.close();
    lock.release();
    throw error;
  }
  const secretIn = db.prepare('insert into secrets (name, sealed) values (?, ?) on conflict do nothing');
  const secretOver = db.prepare(
    'insert into secrets (name, sealed) values (?, ?) on conflict (name) do update set sealed = excluded.sealed',
  );
  const secretOut = db.prepare('delete from secrets where name = ?');
  const sharesOf = db.prepare(
    `select epoch, key_type as keyType, public_key as publicKey, sealed from successors
     where key_id = ? and confirmations is not null and sealed is not null
     union all select epoch, key_type, public_key, sealed from shares where key_id = ? order by epoch desc`,
  );
  const shareIn = db.prepare(
    `insert into shares (key_id, epoch, key_type, public_key, sealed)
     select ?, ?, ?, ?, ? where not exists (select 1 from successors where key_id = ?) on conflict do nothing`,
  );
  const shareOver = db.prepare(`
    insert into shares (key_id, epoch, key_type, public_key, sealed) values (?, ?, ?, ?, ?)
    on conflict (key_id) do update set epoch = excluded.epoch, public_key = excluded.public_key, sealed = excluded.sealed
  `);
  const changed = db.prepare(`
    select number as change, key_id as keyId, epoch, key_type as keyType, public_key as publicKey, sealed
    from changes join shares using (key_id) where number > ? order by number limit ?
  `);
  const reading = readingFrom(db);
  return {
    ...reading,
    addSecret: (name, sealed) => secretIn.run(name, sealed).changes === 1,
    putSecret: (name, sealed) => void secretOver.run(name, sealed),
    removeSecret: (name) => void secretOut.run(name),
    sharesOf: (keyId) => sharesOf.all(keyId, keyId) as unknown as SealedShare[],
    addShare: (keyId, { epoch, keyType, publicKey, sealed }) => shareIn.run(keyId, epoch, keyType, publicKey, sealed, keyId).changes === 1,
    putShare: (keyId, { epoch, keyType, publicKey, sealed }) => void shareOver.run(keyId, epoch, keyType, publicKey, sealed),
    changedAfter: (change, count) => changed.all(change, count) as unknown as (NamedShare & { change: number })[],
    successors: successorsIn(db),
    sweep: () => db.exec('pragma wal_checkpoint(truncate)'),
    reseal({ secret, share }) {
      const tables = db.prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name").all();
      const known = 'changes,entries,registry_checkpoint,registry_nodes,registry_rows,secrets,shares,successors';
      assert(String(tables.map(({ name }) => name)) === known, 'every table with something sealed in it is sealed anew');
      atomically(db, () => {
        // Collected first: what is being read is not written.
        for (const item of [...reading.secrets()]) secretOver.run(item.name, secret(item));
        for (const table of ['shares', 'successors']) {
          const all = db.prepare(
            `select key_id as keyId, epoch, key_type as keyType, public_key as publicKey, sealed from ${table} where sealed is not null`,
          );
          const sealedAgain = db.prepare(`update ${table} set sealed = ? where key_id = ? and epoch = ?`);
          for (const item of all.all() as unknown as NamedShare[]) sealedAgain.run(share(item), item.keyId, item.epoch);
        }
      });
      db.exec('pragma wal_checkpoint(truncate); vacuum; pragma wal_checkpoint(truncate);');
    },
    log: logIn(db),
    registry: registryRowsIn(db),
    close() {
      db.close();
      lock.release();
    },
  };
}

/**
 * What is committed now, while a signer may run on it. To be closed soon: as long as it is read, the signer's write-ahead log grows.
 * @throws {Error} if there is no store
 */
export function readSignerStore(dataDir: string): SignerSnapshot {
  const file = fileOf(dataDir);
  if (!existsSync(file)) throw new Error(`${file} is missing: there is no signer in ${dataDir}`);
  const db = new DatabaseSync(file, { readOnly: true, timeout: lockWithinMs });
  try {
    db.exec('begin'); // all reads see one state
    return { ...readingFrom(db), log: logIn(db), close: () => db.close() };
  } catch (cause) {
    db.close();
    throw new Error(`the signer's store in ${dataDir} cannot be read`, { cause });
  }
}

function readingFrom(db: DatabaseSync): Pick<SignerSnapshot, 'readSecret' | 'secrets' | 'shares' | 'count'> {
  const secretOf = db.prepare('select sealed from secrets where name = ?');
  const secrets = db.prepare('select name, sealed from secrets order by name');
  const shares = db.prepare(
    `select key_id as keyId, max(epoch) as epoch, key_type as keyType, public_key as publicKey, sealed from (
       select key_id, epoch, key_type, public_key, sealed from shares
       union all select key_id, epoch, key_type, public_key, sealed from successors where confirmations is not null and sealed is not null
     ) group by key_id order by key_id`, // the bare columns are those of the row with the maximum
  );
  const counts = db.prepare('select (select count(*) from shares) as keys, (select coalesce(max(sequence), 0) from entries) as sequence');
  return {
    readSecret: (name) => (secretOf.get(name) as { sealed: Uint8Array } | undefined)?.sealed,
    secrets: () => secrets.iterate() as Iterable<unknown> as Iterable<SealedSecret>,
    shares: () => shares.iterate() as Iterable<unknown> as Iterable<NamedShare>,
    count: () => counts.get() as { keys: number; sequence: number },
  };
}

const fileOf = (dataDir: string): string => join(dataDir, 'signer.db');

function atomically<T>(db: DatabaseSync, work: () => T): T {
  db.exec('begin immediate');
  try {
    const result = work();
    db.exec('commit');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('rollback');
    throw error;
  }
}

function successorsIn(db: DatabaseSync): SuccessorStore {
  const of = db.prepare(
    `select key_id as keyId, epoch, key_type as keyType, public_key as publicKey, sealed, session, everybody, confirmation, sharing,
       confirmations
     from successors where key_id = ? order by epoch`,
  );
  const add = db.prepare(
    `insert into successors (key_id, epoch, key_type, public_key, sealed, session, everybody, confirmation, sharing)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const confirm = db.prepare('update successors set confirmations = ? where key_id = ? and epoch = ?');
  const end = db.prepare('delete from shares where key_id = ?');
  const follow = db.prepare(
    `insert into shares (key_id, epoch, key_type, public_key, sealed)
     select key_id, epoch, key_type, public_key, sealed from successors where key_id = ? and epoch = ? and sealed is not null`,
  );
  const dropUpTo = db.prepare('delete from successors where key_id = ? and epoch <= ?');
  const dropAfter = db.prepare('delete from successors where key_id = ? and epoch > ?');
  const keys = db.prepare('select distinct key_id as keyId from successors where key_id > ? order by key_id limit ?');
  return {
    of: (keyId) => of.all(keyId) as unknown as Successor[],
    prepare({ keyId, epoch, keyType, publicKey, sealed, session, everybody, confirmation, sharing }, base) {
      atomically(db, () => {
        dropAfter.run(keyId, base);
        add.run(keyId, epoch, keyType, publicKey, sealed, session, everybody, confirmation, sharing);
      });
    },
    confirm: (keyId, epoch, confirmations) => void confirm.run(confirmations, keyId, epoch),
    settle(keyId, epoch) {
      atomically(db, () => {
        end.run(keyId);
        follow.run(keyId, epoch);
        dropUpTo.run(keyId, epoch);
      });
    },
    drop: (keyId, epoch) => void dropAfter.run(keyId, epoch),
    keys: (after, count) => (keys.all(after, count) as { keyId: string }[]).map(({ keyId }) => keyId),
  };
}

function logIn(db: DatabaseSync): LogStore {
  const page = db.prepare('select sequence, text, vouchers from entries where sequence >= ? order by sequence limit ?');
  const last = db.prepare('select sequence, text, vouchers from entries order by sequence desc limit 1');
  const all = db.prepare('select sequence, text, vouchers from entries order by sequence');
  const add = db.prepare('insert into entries (sequence, text, vouchers) values (?, ?, ?)');
  const confirm = db.prepare('update entries set vouchers = ? where sequence = ?');
  const drop = db.prepare('delete from entries where sequence >= ?');
  return {
    read: (from, count) => page.all(from, count) as unknown as StoredEntry[],
    last: () => last.get() as StoredEntry | undefined,
    all: () => all.iterate() as Iterable<unknown> as Iterable<StoredEntry>,
    add(entries) {
      for (const { sequence, text, vouchers } of entries) add.run(sequence, text, vouchers);
    },
    confirm: (sequence, vouchers) => void confirm.run(vouchers, sequence),
    dropFrom: (sequence) => void drop.run(sequence),
    atomically: (work) => atomically(db, work),
  };
}
