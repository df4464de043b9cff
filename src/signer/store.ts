/**
 * What a signer keeps: a SQLite file of its own (write-ahead log, every commit synced). Secrets stand in it sealed only.
 * The exclusive lock is the kernel's: a second signer on the same directory is refused, and a killed one leaves no trace.
 * @module
 */

import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { KeyType } from '../base/keyTypes.ts';

export interface SignerStore {
  /** One sealed value by name; undefined if there is none. */
  readSecret(name: string): Uint8Array | undefined;
  /** @returns false, writing nothing, if the name has a value */
  addSecret(name: string, sealed: Uint8Array): boolean;
  /** Replaces what was there. */
  putSecret(name: string, sealed: Uint8Array): void;
  readShare(keyId: string): SealedShare | undefined;
  /** @returns false, writing nothing, if the key has a share */
  addShare(keyId: string, share: SealedShare): boolean;
  /** This signer's copy of the authority log. */
  readonly log: LogStore;
  close(): void;
}

/** Durable when each of them returns. */
export interface LogStore {
  /** From `from` on, in order. */
  read(from: number, count: number): readonly StoredEntry[];
  /** All of it, one after the other. */
  all(): Iterable<StoredEntry>;
  add(entries: readonly StoredEntry[]): void;
  confirm(sequence: number, vouchers: string): void;
  /** This entry and all after it. */
  dropFrom(sequence: number): void;
  /** All that `work` writes, or nothing of it. */
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
  create table if not exists entries (sequence integer primary key, text text not null, vouchers text) strict;
`;

/** A signer whose service was killed ends by itself, but not before it has finished what it is computing. */
const lockWithinMs = 3_000;

/** @throws {Error} if another process holds the directory, and keeps it */
export function openSignerStore(dataDir: string): SignerStore {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'signer.db');
  const db = new DatabaseSync(file, { timeout: lockWithinMs });
  try {
    chmodSync(file, 0o600); // the log beside it takes the same mode
    db.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on;');
    db.exec(`begin immediate; ${schema} commit;`);
  } catch (cause) {
    db.close();
    throw new Error(`the signer's store in ${dataDir} cannot be opened; is another signer running on it?`, { cause });
  }
  const secretOf = db.prepare('select sealed from secrets where name = ?');
  const secretIn = db.prepare('insert into secrets (name, sealed) values (?, ?) on conflict do nothing');
  const secretOver = db.prepare(
    'insert into secrets (name, sealed) values (?, ?) on conflict (name) do update set sealed = excluded.sealed',
  );
  const shareOf = db.prepare('select epoch, key_type as keyType, public_key as publicKey, sealed from shares where key_id = ?');
  const shareIn = db.prepare(
    'insert into shares (key_id, epoch, key_type, public_key, sealed) values (?, ?, ?, ?, ?) on conflict do nothing',
  );
  return {
    readSecret: (name) => (secretOf.get(name) as { sealed: Uint8Array } | undefined)?.sealed,
    addSecret: (name, sealed) => secretIn.run(name, sealed).changes === 1,
    putSecret: (name, sealed) => void secretOver.run(name, sealed),
    readShare: (keyId) => shareOf.get(keyId) as SealedShare | undefined,
    addShare: (keyId, { epoch, keyType, publicKey, sealed }) => shareIn.run(keyId, epoch, keyType, publicKey, sealed).changes === 1,
    log: logIn(db),
    close: () => db.close(),
  };
}

function logIn(db: DatabaseSync): LogStore {
  const page = db.prepare('select sequence, text, vouchers from entries where sequence >= ? order by sequence limit ?');
  const all = db.prepare('select sequence, text, vouchers from entries order by sequence');
  const add = db.prepare('insert into entries (sequence, text, vouchers) values (?, ?, ?)');
  const confirm = db.prepare('update entries set vouchers = ? where sequence = ?');
  const drop = db.prepare('delete from entries where sequence >= ?');
  return {
    read: (from, count) => page.all(from, count) as unknown as StoredEntry[],
    all: () => all.iterate() as Iterable<unknown> as Iterable<StoredEntry>,
    add(entries) {
      for (const { sequence, text, vouchers } of entries) add.run(sequence, text, vouchers);
    },
    confirm: (sequence, vouchers) => void confirm.run(vouchers, sequence),
    dropFrom: (sequence) => void drop.run(sequence),
    atomically(work) {
      db.exec('begin immediate');
      try {
        const result = work();
        db.exec('commit');
        return result;
      } catch (error) {
        if (db.isTransaction) db.exec('rollback');
        throw error;
      }
    },
  };
}
