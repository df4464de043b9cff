/** SQL of wallets. What of one is its key's (type, state, owner) is read from the key. @module */

import type { Wallet } from '../../authority/registry.ts';
import type { KeyType } from '../../base/keyTypes.ts';
import type { WalletNetwork } from '../../chains/networks.ts';
import { batched } from '../../store/batch.ts';
import type { Database, Query } from '../../store/database.ts';
import type { KeyStatus } from '../keys/lifecycle.ts';

export interface WalletRow {
  readonly id: string;
  readonly organisationId: string;
  readonly keyId: string;
  readonly network: WalletNetwork;
  readonly name: string | null;
  readonly externalId: string | null;
  readonly tags: readonly string[];
  readonly dateCreated: Date;
  readonly keyType: KeyType;
  readonly publicKey: Uint8Array;
  readonly status: KeyStatus;
  readonly delegatedTo: string | null;
  readonly dateDeleted: Date | null;
}

/** Whose wallets: see `KeyFilter`; `ownerId` and `ownerUsername` are the older ways to say `owner`. */
export interface WalletFilter {
  readonly organisationId: string;
  readonly delegatedTo: string | null;
  readonly owner: string | null;
  readonly ownerId: string | null;
  readonly ownerUsername: string | null;
}

type Found = WalletRow & Record<string, unknown>;

const columns = `w.id, w.organisation_id as "organisationId", w.key_id as "keyId", w.network, w.name, w.external_id as "externalId", w.tags,
  w.date_created as "dateCreated", k.key_type as "keyType", k.public_key as "publicKey", k.status, k.delegated_to as "delegatedTo",
  k.date_deleted as "dateDeleted"`;

const batches = { maxItems: 200, concurrency: 2 };

/** Looks wallets up by id, one statement for all that are asked for at the same time. Whose wallet it is, is for the caller to check. */
export function walletFinder(database: Database): (id: string) => Promise<WalletRow | undefined> {
  return batched((ids: readonly string[]) => findWallets(database, ids), batches);
}

/** Each in its place; undefined where there is none. */
export async function findWallets(query: Query, ids: readonly string[]): Promise<(WalletRow | undefined)[]> {
  const rows = await query.query<Found>(`select ${columns} from wallets w join keys k on k.id = w.key_id where w.id = any($1::text[])`, [
    [...new Set(ids)],
  ]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id));
}

export function listWallets(
  query: Query,
  { organisationId, delegatedTo, owner, ownerId, ownerUsername }: WalletFilter,
  { date, id, take }: { date: Date | null; id: string | null; take: number },
): Promise<WalletRow[]> {
  return query.query<Found>(
    `select ${columns} from wallets w join keys k on k.id = w.key_id left join users u on u.id = k.delegated_to
     where w.organisation_id = $1
       and ($2::text is null or k.delegated_to = $2)
       and ($3::text is null or u.id = $3 or u.username = $3)
       and ($4::text is null or u.id = $4)
       and ($5::text is null or u.username = $5)
       and (w.date_created, w.id) < (coalesce($6::timestamptz, 'infinity'), coalesce($7::text, ''))
     order by w.date_created desc, w.id desc limit $8`,
    [organisationId, delegatedTo, owner, ownerId, ownerUsername, date, id, take],
  );
}

/** The wallets of a key. */
export function walletsOfKey(query: Query, keyId: string): Promise<{ id: string; network: WalletNetwork }[]> {
  return query.query<{ id: string; network: WalletNetwork }>(
    'select id, network from wallets where key_id = $1 order by date_created, id',
    [keyId],
  );
}

export async function insertWallet(
  tx: Query,
  { id, keyId, network }: Wallet,
  {
    organisationId,
    date,
    name,
    externalId,
    tags,
  }: {
    organisationId: string;
    date: Date;
    name: string | null;
    externalId: string | null;
    tags: readonly string[];
  },
): Promise<void> {
  await tx.query(
    `insert into wallets (id, organisation_id, key_id, network, name, external_id, tags, date_created)
     values ($1, $2, $3, $4, $5, $6, $7::text[], $8) on conflict (id) do nothing`,
    [id, organisationId, keyId, network, name, externalId, tags, date],
  );
}

/** What is undefined stays. */
export async function updateWallet(
  tx: Query,
  id: string,
  { name, externalId }: { name?: string | null; externalId?: string | null },
): Promise<void> {
  await tx.query(
    `update wallets set name = case when $2::boolean then $3 else name end, external_id = case when $4::boolean then $5 else external_id end
     where id = $1`,
    [id, name !== undefined, name ?? null, externalId !== undefined, externalId ?? null],
  );
}

/** The tags it has then, new ones behind the others; at most `most`. @returns false when they would be more, and nothing is changed */
export async function addTags(tx: Query, id: string, tags: readonly string[], most: number): Promise<boolean> {
  const rows = await tx.query(
    `update wallets w set tags = t.tags
     from (select array_agg(tag order by at) as tags from (
       select tag, min(at) as at from wallets, unnest(tags || $2::text[]) with ordinality as given (tag, at) where id = $1 group by tag
     ) distinct_tags) t
     where w.id = $1 and cardinality(t.tags) <= $3 returning w.id`,
    [id, tags, most],
  );
  return rows.length > 0;
}

export async function removeTags(tx: Query, id: string, tags: readonly string[]): Promise<void> {
  await tx.query(
    `update wallets set tags = array(select tag from unnest(tags) with ordinality as given (tag, at) where tag <> all($2::text[]) order by at)
     where id = $1`,
    [id, tags],
  );
}
