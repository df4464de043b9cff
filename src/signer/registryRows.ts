/**
 * SQL of the registry that a signer keeps beside its log: rows of records, the nodes of the trees over them, and the checkpoint that says
 * which ones hold. Nothing here is believed: `recordTree.ts` and `checkpoint.ts` say what is good.
 * @module
 */

import { DatabaseSync } from 'node:sqlite';

export interface RegistryRows {
  /** Of one bucket, by ascending id. */
  bucket(kind: string, bucket: number): readonly Row[];
  /** Of all buckets, in their order. */
  all(kind: string): Iterable<Row & { readonly bucket: number }>;
  put(kind: string, bucket: number, row: Row): void;
  drop(kind: string, bucket: number, id: string): void;
  node(kind: string, level: number, number: number): Uint8Array | undefined;
  putNode(kind: string, level: number, number: number, digests: Uint8Array): void;
  checkpoint(): StoredCheckpoint | undefined;
  putCheckpoint(checkpoint: StoredCheckpoint): void;
  dropCheckpoint(): void;
  /** Everything. */
  clear(): void;
}

export interface Row {
  readonly id: string;
  readonly text: string;
}

export interface StoredCheckpoint {
  readonly text: string;
  readonly signature: string;
}

const schema = `
  create table if not exists registry_rows (kind text not null, bucket integer not null, id text not null, text text not null,
    primary key (kind, bucket, id)) strict, without rowid;
  create table if not exists registry_nodes (kind text not null, level integer not null, number integer not null, digests blob not null,
    primary key (kind, level, number)) strict, without rowid;
  create table if not exists registry_checkpoint (singleton integer primary key check (singleton = 1), text text not null,
    signature text not null) strict;
`;

/** The tables are made if they are missing. */
export function registryRowsIn(db: DatabaseSync): RegistryRows {
  db.exec(schema);
  const bucket = db.prepare('select id, text from registry_rows where kind = ? and bucket = ? order by id');
  const all = db.prepare('select bucket, id, text from registry_rows where kind = ? order by bucket, id');
  const put = db.prepare(
    'insert into registry_rows (kind, bucket, id, text) values (?, ?, ?, ?) on conflict (kind, bucket, id) do update set text = excluded.text',
  );
  const drop = db.prepare('delete from registry_rows where kind = ? and bucket = ? and id = ?');
  const node = db.prepare('select digests from registry_nodes where kind = ? and level = ? and number = ?');
  const putNode = db.prepare('insert or replace into registry_nodes (kind, level, number, digests) values (?, ?, ?, ?)');
  const checkpoint = db.prepare('select text, signature from registry_checkpoint');
  const putCheckpoint = db.prepare('insert or replace into registry_checkpoint (singleton, text, signature) values (1, ?, ?)');
  const dropCheckpoint = db.prepare('delete from registry_checkpoint');
  return {
    bucket: (kind, number) => bucket.all(kind, number) as unknown as Row[],
    all: (kind) => all.iterate(kind) as Iterable<unknown> as Iterable<Row & { bucket: number }>,
    put: (kind, number, { id, text }) => void put.run(kind, number, id, text),
    drop: (kind, number, id) => void drop.run(kind, number, id),
    node: (kind, level, number) => (node.get(kind, level, number) as { digests: Uint8Array } | undefined)?.digests,
    putNode: (kind, level, number, digests) => void putNode.run(kind, level, number, digests),
    checkpoint: () => checkpoint.get() as StoredCheckpoint | undefined,
    putCheckpoint: ({ text, signature }) => void putCheckpoint.run(text, signature),
    dropCheckpoint: () => void dropCheckpoint.run(),
    clear: () => db.exec('delete from registry_rows; delete from registry_nodes; delete from registry_checkpoint;'),
  };
}

/** For a registry that is needed once: in a file without a name, which goes with `close`. */
export function scratchRows(): RegistryRows & { close(): void } {
  const db = new DatabaseSync('');
  db.exec('pragma journal_mode = off; pragma synchronous = off;');
  return { ...registryRowsIn(db), close: () => db.close() };
}
