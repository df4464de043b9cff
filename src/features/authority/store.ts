/** SQL of the authority log. @module */

import { decodeEntry, type Entry, encodeEntry, headOf } from '../../authority/entry.ts';
import type { SignedHead } from '../../authority/signedHead.ts';
import type { EntrySource } from '../../coordinator/coordinator.ts';
import type { Query } from '../../store/database.ts';

/** An entry as the database has it: its text may be anything, until it has been verified. */
export interface LogRow {
  readonly sequence: number;
  readonly text: string;
  /** None for an entry that was taken over with a later one. */
  readonly vouchers: readonly SignedHead[];
  readonly dateAccepted: Date;
}

export interface Proposal {
  readonly entry: Entry;
  /** Of the request that it came with. */
  readonly requestId: string | null;
}

export const pageSize = 500;

/** Consecutive ones, `from` the first. */
export async function readRows(query: Query, from: number, count: number): Promise<LogRow[]> {
  const rows = await query.query<Omit<LogRow, 'vouchers'> & { hash: Uint8Array; vouchers: Voucher[] }>(
    `select sequence, hash, entry as text, vouchers, date_accepted as "dateAccepted" from authority_log
     where sequence >= $1 order by sequence limit $2`,
    [from, count],
  );
  return rows.map(({ hash, vouchers, ...row }) => {
    return { ...row, vouchers: vouchers.map((voucher) => ({ sequence: row.sequence, hash, ...voucher })) };
  });
}

/** An entry with the hash that the database has for it. */
export type HashedRow = Pick<LogRow, 'sequence' | 'text'> & { readonly hash: Uint8Array };

/** Both numbers included. */
export async function readHashed(query: Query, from: number, to: number): Promise<HashedRow[]> {
  return query.query<HashedRow & Record<string, unknown>>(
    'select sequence, hash, entry as text from authority_log where sequence between $1 and $2 order by sequence',
    [from, to],
  );
}

/** The whole log from its first entry, for a copy of it (`authority/auditVerify.ts`): what is wrong in it, the copy shows. */
export async function* readLog(query: Query): AsyncGenerator<LogRow> {
  for (let from = 1; ; ) {
    const rows = await readRows(query, from, pageSize);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageSize) return;
    from = last.sequence + 1;
  }
}

/** @returns whether it is the first with its number */
export async function insertEntry(
  tx: Query,
  { entry, vouchers, dateAccepted }: { entry: Entry; vouchers: readonly SignedHead[]; dateAccepted: Date },
): Promise<boolean> {
  const { sequence, hash } = headOf(entry);
  const signatures = vouchers.map(({ at, signerId, signature }): Voucher => ({ at, signerId, signature }));
  const inserted = await tx.query(
    `insert into authority_log (sequence, hash, entry, vouchers, date_accepted) values ($1, $2, $3, $4, $5)
     on conflict (sequence) do nothing returning sequence`,
    [sequence, hash, encodeEntry(entry), JSON.stringify(signatures), dateAccepted],
  );
  return inserted.length > 0;
}

/**
 * Makes the entry the one that signers are asked for, unless its user action is spent.
 * @returns 'open' when there is one already
 */
export async function propose(
  query: Query,
  { entry, nonce, requestId }: { entry: Entry /** Of its user action; a recovery has none. */; nonce: string | null; requestId: string },
): Promise<'proposed' | 'spent' | 'open'> {
  const [row] = await query.query<{ isSpent: boolean; isProposed: boolean }>(
    `with spent as (select 1 from audit_log where nonce = $3::text),
       proposed as (
         insert into authority_proposal (entry, request_id)
         select $1::text, $2::text where not exists (select from spent) on conflict do nothing returning 1
       )
     select exists (select from spent) as "isSpent", exists (select from proposed) as "isProposed"`,
    [encodeEntry(entry), requestId, nonce],
  );
  return row?.isSpent ? 'spent' : row?.isProposed ? 'proposed' : 'open';
}

/** As this database has the log. */
export async function lastEntry(query: Query): Promise<Entry | undefined> {
  const [row] = await query.query<{ text: string }>('select entry as text from authority_log order by sequence desc limit 1');
  return row && decodeEntry(row.text);
}

export async function findProposal(query: Query): Promise<Proposal | undefined> {
  const [row] = await query.query<{ text: string; requestId: string | null }>(
    'select entry as text, request_id as "requestId" from authority_proposal',
  );
  return row && { entry: decodeEntry(row.text), requestId: row.requestId };
}

export async function removeProposal(query: Query): Promise<void> {
  await query.query('delete from authority_proposal');
}

/** The log for signers that were away. */
export function historyOf(query: Query): Pick<EntrySource, 'entries' | 'vouchers'> {
  return {
    async entries(from, count) {
      const rows = await readRows(query, from, count);
      return rows.map(({ text }) => decodeEntry(text));
    },
    async vouchers(sequence) {
      const [row] = await readRows(query, sequence, 1);
      return row?.sequence === sequence ? row.vouchers : [];
    },
  };
}

/** As it is kept: the head it is for stands beside it. */
type Voucher = Pick<SignedHead, 'at' | 'signerId' | 'signature'>;
