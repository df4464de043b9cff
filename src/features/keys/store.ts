/** SQL of keys. @module */

import type { Key as RegisteredKey } from '../../authority/registry.ts';
import type { RootIds } from '../../authority/root.ts';
import { fromHex, toHex } from '../../base/bytes.ts';
import { assert } from '../../base/errors.ts';
import type { KeyType } from '../../base/keyTypes.ts';
import type { KeySharing, NewKey } from '../../coordinator/coordinator.ts';
import { batched } from '../../store/batch.ts';
import type { Database, Query } from '../../store/database.ts';
import type { KeyStoreRow } from '../keyStores/store.ts';
import { type KeyEvent, type KeyStatus, lifecycle } from './lifecycle.ts';

export interface KeyRow {
  readonly id: string;
  readonly organisationId: string;
  readonly storeId: string;
  readonly keyType: KeyType;
  readonly publicKey: Uint8Array;
  readonly epoch: number;
  /** Null: as of the first cluster. */
  readonly threshold: number | null;
  /** By participant number. */
  readonly verificationShares: ReadonlyMap<number, Uint8Array>;
  readonly isMaster: boolean;
  /** Of a child: its master, and the path from there. */
  readonly derivedFrom: string | null;
  readonly derivationPath: string | null;
  readonly isImported: boolean;
  readonly name: string | null;
  readonly status: KeyStatus;
  readonly delegatedTo: string | null;
  readonly dateCreated: Date;
  readonly dateExported: Date | null;
  readonly dateDeleted: Date | null;
}

export interface FoundKey extends KeyRow {
  readonly storeKind: KeyStoreRow['kind'];
}

/** Whose keys: those of an organisation, or of them only those delegated to one user, by id or username. */
export interface KeyFilter {
  readonly organisationId: string;
  readonly delegatedTo: string | null;
  readonly owner: string | null;
}

const maxBatch = 200;
const concurrentBatches = 2;

const columns = `k.id, k.organisation_id as "organisationId", k.store_id as "storeId", k.key_type as "keyType", k.public_key as "publicKey",
  k.epoch, k.threshold, k.verification_shares as "verificationShares", k.is_master as "isMaster", k.derived_from as "derivedFrom",
  k.derivation_path as "derivationPath", k.is_imported as "isImported", k.name, k.status, k.delegated_to as "delegatedTo", k.date_created as "dateCreated",
  k.date_exported as "dateExported", k.date_deleted as "dateDeleted"`;

type Stored<T extends KeyRow> = Omit<T, 'verificationShares'> & { verificationShares: Record<string, string> } & Record<string, unknown>;

/** Looks keys up by id, one statement for all that are asked for at the same time. Whose key it is, is for the caller to check. */
export function keyFinder(database: Database): (id: string) => Promise<FoundKey | undefined> {
  return batched((ids: readonly string[]) => findAll(database, ids), { maxItems: maxBatch, concurrency: concurrentBatches });
}

async function findAll(database: Database, ids: readonly string[]): Promise<(FoundKey | undefined)[]> {
  const rows = await database.query<Stored<FoundKey>>(
    `select ${columns}, s.kind as "storeKind" from keys k join key_stores s on s.id = k.store_id where k.id = any($1::text[])`,
    [[...new Set(ids)]],
  );
  const byId = new Map(rows.map((row) => [row.id, restored(row)]));
  return ids.map((id) => byId.get(id));
}

export async function listKeys(
  query: Query,
  { organisationId, delegatedTo, owner }: KeyFilter,
  { date, id, take }: { date: Date | null; id: string | null; take: number },
): Promise<KeyRow[]> {
  const rows = await query.query<Stored<KeyRow>>(
    `select ${columns} from keys k left join users u on u.id = k.delegated_to
     where k.organisation_id = $1
       and ($2::text is null or k.delegated_to = $2)
       and ($3::text is null or u.id = $3 or u.username = $3)
       and (k.date_created, k.id) < (coalesce($4::timestamptz, 'infinity'), coalesce($5::text, ''))
     order by k.date_created desc, k.id desc limit $6`,
    [organisationId, delegatedTo, owner, date, id, take],
  );
  return rows.map((row) => restored(row));
}

/** Of these ids, those that have no record. */
export async function idsWithoutKey(query: Query, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await query.query<{ id: string }>(
    'select id from unnest($1::text[]) as asked (id) where not exists (select from keys k where k.id = asked.id)',
    [ids],
  );
  return rows.map(({ id }) => id);
}

/** The record of a key that was asked for, and that the signers hold. */
export function rowOf({
  key,
  held,
  ids,
  name,
  dateCreated,
}: {
  key: RegisteredKey;
  held: NewKey;
  ids: RootIds;
  name: string | null;
  dateCreated: Date;
}): KeyRow & { chainCode: Uint8Array } {
  const { epoch, threshold, publicKey, verificationShares, chainCode } = held;
  return {
    id: key.id,
    organisationId: ids.organisationId,
    storeId: ids.storeId,
    keyType: key.keyType,
    publicKey,
    epoch,
    threshold: threshold ?? null,
    verificationShares,
    chainCode,
    isMaster: key.isMaster ?? false,
    derivedFrom: key.derivedFrom?.keyId ?? null,
    derivationPath: key.derivedFrom?.path ?? null,
    isImported: key.imported !== undefined,
    name,
    status: 'Active',
    delegatedTo: key.delegatedTo ?? null,
    dateCreated,
    dateExported: key.exported === undefined ? null : new Date(1000 * key.exported.at),
    dateDeleted: null,
  };
}

/**
 * A key that has its record keeps it: it may have been restored meanwhile (`restoration.ts`).
 * @returns whether the key was recorded: false also when it is here under another id
 */
export async function insertKey(query: Query, row: KeyRow & { chainCode: Uint8Array }): Promise<boolean> {
  const rows = await query.query(
    `insert into keys (id, organisation_id, store_id, key_type, public_key, epoch, threshold, verification_shares, chain_code, is_master, derived_from,
       derivation_path, is_imported, name, status, delegated_to, date_created, date_exported)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) on conflict do nothing returning id`,
    [
      row.id,
      row.organisationId,
      row.storeId,
      row.keyType,
      row.publicKey,
      row.epoch,
      row.threshold,
      textOf(row.verificationShares),
      row.chainCode,
      row.isMaster,
      row.derivedFrom,
      row.derivationPath,
      row.isImported,
      row.name,
      row.status,
      row.delegatedTo,
      row.dateCreated,
      row.dateExported,
    ],
  );
  return rows.length > 0;
}

/** The id under which a key is here. */
export async function findByPublicKey(
  query: Query,
  { organisationId, publicKey }: Pick<KeyRow, 'organisationId' | 'publicKey'>,
): Promise<string | undefined> {
  const [row] = await query.query<{ id: string }>('select id from keys where organisation_id = $1 and public_key = $2', [
    organisationId,
    publicKey,
  ]);
  return row?.id;
}

/** How the key is shared since it was dealt anew; what is newer stays. */
export async function recordSharing(query: Query, id: string, { epoch, threshold, verificationShares }: KeySharing): Promise<void> {
  const shares = textOf(verificationShares);
  await query.query('update keys set epoch = $2, threshold = $3, verification_shares = $4 where id = $1 and epoch < $2', [
    id,
    epoch,
    threshold ?? null,
    shares,
  ]);
}

export async function renameKey(tx: Query, id: string, name: string | null): Promise<void> {
  await tx.query('update keys set name = $2 where id = $1', [id, name]);
}

/** Once: a repeated export changes nothing. */
export async function markExported(tx: Query, id: string, date: Date): Promise<void> {
  await tx.query('update keys set date_exported = $2 where id = $1 and date_exported is null', [id, date]);
}

export async function giveKeyTo(tx: Query, id: string, userId: string): Promise<void> {
  await tx.query('update keys set delegated_to = $2 where id = $1', [id, userId]);
}

/**
 * The only writer of `status`.
 * @returns whether the key moved: false when it was in no state the event leaves
 */
export async function moveKey(tx: Query, id: string, event: KeyEvent, date: Date): Promise<boolean> {
  const { from, to, stamps } = lifecycle[event];
  const rows = await tx.query(`update keys set status = $2, ${stamps} = $3 where id = $1 and status = any($4::text[]) returning id`, [
    id,
    to,
    date,
    from,
  ]);
  return rows.length > 0;
}

function restored<T extends KeyRow>(row: Stored<T>): T {
  // Only the member named here changes its form, which the type of a rest does not say: hence the cast.
  return { ...row, verificationShares: sharesOf(row.verificationShares) } as unknown as T;
}

function textOf(verificationShares: ReadonlyMap<number, Uint8Array>): string {
  return JSON.stringify(Object.fromEntries([...verificationShares].map(([participant, share]) => [participant, toHex(share)])));
}

function sharesOf(stored: Record<string, string>): ReadonlyMap<number, Uint8Array> {
  return new Map(
    Object.entries(stored).map(([participant, hex]) => {
      const share = fromHex(hex);
      assert(share, 'verification shares are kept as hex');
      return [Number(participant), share];
    }),
  );
}
