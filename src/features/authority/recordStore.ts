/** SQL of the records that the authority log makes. @module */

import { type Kind, kinds, recordKinds, recordsVersion } from '../../authority/records.ts';
import { fromHex, toHex } from '../../base/bytes.ts';
import { assert } from '../../base/errors.ts';
import type { Query } from '../../store/database.ts';
import type { Put } from './records.ts';

export interface Checkpoint {
  readonly sequence: number;
  /** Unix seconds. */
  readonly time: number;
}

export interface HeldRecord {
  readonly kind: Kind;
  readonly id: string;
  readonly text: string;
}

/** They are the log itself. */
const inLog: readonly Kind[] = ['head', 'anchor'];
const held = kinds.filter((kind) => recordKinds[kind].extent === 'held');
const halfHash = '0'.repeat(32);
const otherHalf = 'f'.repeat(32);

/** @returns undefined where there is none, or one of another version of this program */
export async function findCheckpoint(query: Query): Promise<Checkpoint | undefined> {
  const [row] = await query.query<{ sequence: number; time: number }>(
    'select sequence, time from authority_checkpoint where version = $1',
    [recordsVersion],
  );
  return row;
}

export async function heldRecords(query: Query): Promise<HeldRecord[]> {
  return query.query<HeldRecord & Record<string, unknown>>(
    'select kind, id, record as text from authority_records where kind = any($1::text[]) order by sequence',
    [held],
  );
}

/** As it is at this head. */
export async function findRecord(query: Query, { kind, id, head }: { kind: Kind; id: string; head: number }): Promise<string | undefined> {
  const [row] = await query.query<{ record: string }>(
    'select record from authority_records where kind = $1 and id = $2 and sequence <= $3 order by sequence desc limit 1',
    [kind, id, head],
  );
  return row?.record;
}

/** Hex. */
export async function findHash(query: Query, sequence: number, head: number): Promise<string | undefined> {
  const [row] = await query.query<{ hash: Uint8Array }>('select hash from authority_log where sequence = $1 and sequence <= $2', [
    sequence,
    head,
  ]);
  return row && toHex(row.hash);
}

/** The number of the head whose hash begins so. */
export async function findAnchored(query: Query, anchor: string, head: number): Promise<number | undefined> {
  const [row] = await query.query<{ sequence: number }>(
    'select sequence from authority_log where hash between $1 and $2 and sequence <= $3 order by sequence limit 1',
    [fromHex(anchor + halfHash), fromHex(anchor + otherHalf), head],
  );
  return row?.sequence;
}

/** The number of the entry that asked for this key. */
export async function askedAt(query: Query, keyId: string): Promise<number | undefined> {
  const [row] = await query.query<{ sequence: number | null }>(
    `select min(sequence) as sequence from authority_records where kind = 'key' and id = $1`,
    [keyId],
  );
  return row?.sequence ?? undefined;
}

/** Of the keys that entries after `from` and up to `to` have made or changed, those that have no record in `keys`. */
export async function keysWithoutRecord(query: Query, from: number, to: number): Promise<string[]> {
  const rows = await query.query<{ id: string }>(
    `select distinct r.id from authority_records r where r.kind = 'key' and r.sequence > $1 and r.sequence <= $2
       and not exists (select from keys k where k.id = r.id)`,
    [from, to],
  );
  return rows.map(({ id }) => id);
}

/** What entries have put, in their order; afterwards the records are those of `checkpoint`. */
export async function putRecords(
  tx: Query,
  puts: readonly (Put & { readonly sequence: number })[],
  { sequence, time }: Checkpoint,
): Promise<void> {
  const kept = puts.filter(({ kind }) => !inLog.includes(kind));
  const isHeld = ({ kind }: Put) => held.includes(kind);
  const over = kept.filter(isHeld);
  if (over.length > 0) {
    await tx.query(
      'delete from authority_records r using unnest($1::text[], $2::text[]) as put (kind, id) where r.kind = put.kind and r.id = put.id',
      [over.map(({ kind }) => kind), over.map(({ id }) => id)],
    );
  }
  // Of several versions of what is held, the last; of what is looked up, all.
  const last = new Map(kept.map((put) => [isHeld(put) ? `${put.kind}/${put.id}` : `${put.kind}/${put.id}/${put.sequence}`, put]));
  const rows = [...last.values()].flatMap(({ kind, id, sequence, record }) => {
    assert(record !== undefined || held.includes(kind), 'what is looked up never ends');
    const encode = recordKinds[kind].encode as (record: unknown) => string; // of the same kind
    return record === undefined ? [] : [{ kind, id, sequence, text: encode(record) }];
  });
  await tx.query(
    `with put as (
       insert into authority_records (kind, id, sequence, record)
       select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[])
       on conflict (kind, id, sequence) do update set record = excluded.record
     )
     insert into authority_checkpoint (version, sequence, time) values ($5, $6, $7)
     on conflict (singleton) do update set version = excluded.version, sequence = excluded.sequence, time = excluded.time`,
    [
      rows.map(({ kind }) => kind),
      rows.map(({ id }) => id),
      rows.map((row) => row.sequence),
      rows.map(({ text }) => text),
      recordsVersion,
      sequence,
      time,
    ],
  );
}

export async function dropCheckpoint(query: Query): Promise<void> {
  await query.query('delete from authority_checkpoint');
}

export async function clearRecords(tx: Query): Promise<void> {
  await tx.query('delete from authority_records');
  await dropCheckpoint(tx);
}
