/** SQL of which keys are to be dealt anew, and when. @module */

import type { KeyType } from '../../base/keyTypes.ts';
import type { Query } from '../../store/database.ts';

export interface DueKey {
  readonly id: string;
  readonly keyType: KeyType;
  readonly publicKey: Uint8Array;
}

/** Children have no shares of their own; what is archived is left as it is. */
const isShared = `status = 'Active' and derived_from is null`;
/** $1: those that were made and dealt before then are due, too; null for none. */
const isDue = `(date_refresh_asked is not null or coalesce(date_dealt, date_created) < $1::timestamptz)`;

/** @param ids null for all keys */
export async function askForRefresh(query: Query, ids: readonly string[] | null, date: Date): Promise<void> {
  await query.query(
    `update keys set date_refresh_asked = coalesce(date_refresh_asked, $2), refresh_claimed_until = null
     where ${isShared} and ($1::text[] is null or id = any($1::text[]))`,
    [ids, date],
  );
}

export async function countDue(query: Query, before: Date | null): Promise<number> {
  const [row] = await query.query<{ due: number }>(`select count(*)::bigint as due from keys where ${isShared} and ${isDue}`, [before]);
  return row?.due ?? 0;
}

/** Takes some that are due and that nobody is at; nobody else takes them until the claim ends. */
export async function claimDue(
  query: Query,
  { before, now, until, most }: { before: Date | null; now: Date; until: Date; most: number },
): Promise<readonly DueKey[]> {
  return query.query<DueKey & Record<string, unknown>>(
    `update keys set refresh_claimed_until = $3 where id in (
       select id from keys where ${isShared} and ${isDue} and (refresh_claimed_until is null or refresh_claimed_until <= $2)
       order by coalesce(date_dealt, date_created), id limit $4 for update skip locked)
     returning id, key_type as "keyType", public_key as "publicKey"`,
    [before, now, until, most],
  );
}

/** What was asked for while it was under way is still to be done. */
export async function markDealt(query: Query, id: string, { begun, date }: { begun: Date; date: Date }): Promise<void> {
  await query.query(
    `update keys set date_dealt = $3, refresh_claimed_until = null,
       date_refresh_asked = case when date_refresh_asked <= $2 then null else date_refresh_asked end
     where id = $1`,
    [id, begun, date],
  );
}
