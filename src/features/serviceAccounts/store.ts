/** SQL of service accounts: a user, its token and the credential of that token. @module */

import type { Managed } from '../../authority/managed.ts';
import type { Account, Credential } from '../../authority/registry.ts';
import type { Query } from '../../store/database.ts';

export interface ServiceAccountRow {
  readonly userId: string;
  readonly organisationId: string;
  readonly name: string;
  readonly isActive: boolean;
  readonly tokenId: string;
  readonly credentialUuid: string;
  readonly credId: string;
  /** PEM, as it was given. */
  readonly publicKey: string;
  readonly dateCreated: Date;
  /** Of its token. */
  readonly dateIssued: Date;
  readonly dateExpires: Date;
}

/** With what is in force for it. */
export interface ListedServiceAccount extends ServiceAccountRow {
  readonly assignments: readonly {
    readonly permissionName: string;
    readonly permissionId: string;
    readonly assignmentId: string;
    readonly operations: readonly string[];
    readonly managed: Managed | null;
  }[];
}

const listSql = `
  select u.id as "userId", u.organisation_id as "organisationId", u.username as name, u.is_active as "isActive", t.id as "tokenId",
    c.uuid as "credentialUuid", c.cred_id as "credId", c.public_key as "publicKey", u.date_created as "dateCreated",
    t.date_created as "dateIssued", t.date_expires as "dateExpires", granted.assignments
  from users u
  join tokens t on t.user_id = u.id and t.kind = 'ServiceAccount' and t.is_active
  join credentials c on c.token_id = t.id and c.is_active
  cross join lateral (
    select coalesce(json_agg(json_build_object('permissionName', p.name, 'permissionId', p.id, 'assignmentId', a.id,
      'operations', p.operations, 'managed', p.managed) order by a.date_created, a.id), '[]') as assignments
    from permission_assignments a
    join permissions p on p.id = a.permission_id and not p.is_archived
    where a.identity_id in (u.id, t.id) and a.date_revoked is null
  ) granted
  where u.organisation_id = $1 and u.is_service_account and u.date_deleted is null and ($2::text is null or u.id = $2)
  order by u.date_created desc, u.id desc
  limit $3`;

type Found = ListedServiceAccount & Record<string, unknown>;

export function listServiceAccounts(query: Query, organisationId: string, { take }: { take: number }): Promise<ListedServiceAccount[]> {
  return query.query<Found>(listSql, [organisationId, null, take]);
}

export async function findServiceAccount(query: Query, organisationId: string, id: string): Promise<ListedServiceAccount | undefined> {
  const [row] = await query.query<Found>(listSql, [organisationId, id, 1]);
  return row;
}

export async function renameServiceAccount(tx: Query, userId: string, name: string): Promise<void> {
  await tx.query('update users set username = $2 where id = $1', [userId, name]);
}

interface Written {
  readonly organisationId: string;
  readonly date: Date;
}

export async function insertAccount(tx: Query, { id }: Account, { organisationId, date, name }: Written & { name: string }): Promise<void> {
  await tx.query(
    `insert into users (id, organisation_id, kind, is_service_account, username, is_active, date_created)
     values ($1, $2, 'CustomerEmployee', true, $3, true, $4) on conflict (id) do nothing`,
    [id, organisationId, name, date],
  );
}

/** The account as it is from now on, with its token; former tokens end. */
export async function putAccount(
  tx: Query,
  account: Account,
  { organisationId, dateAsked, date }: Written & { dateAsked: Date },
): Promise<void> {
  const { id, status, tokenId, validUntil } = account;
  await tx.query(
    `with account as (
       update users set is_active = $2, date_deleted = case when $3::boolean then coalesce(date_deleted, $4) end where id = $1
     ), former as (
       update tokens set is_active = false where user_id = $1 and id <> $5
     )
     insert into tokens (id, organisation_id, user_id, kind, name, is_active, date_created, date_expires)
     select $5, $6, $1, 'ServiceAccount', username, not $3::boolean, $7::timestamptz, $8::timestamptz from users where id = $1
     on conflict (id) do update set is_active = excluded.is_active`,
    [id, status === 'Active', status === 'Deleted', date, tokenId, organisationId, dateAsked, new Date(validUntil * 1000)],
  );
}

/** Of the account's token. */
export async function insertCredential(tx: Query, credential: Credential, { organisationId, date }: Written): Promise<void> {
  const { uuid, credId, accountId, kind, publicKey } = credential;
  await tx.query(
    `insert into credentials (uuid, organisation_id, user_id, token_id, cred_id, kind, name, public_key, is_active, date_created)
     select $1, $2, u.id, t.id, $4, $5, u.username, $6, true, $7::timestamptz
     from users u join tokens t on t.user_id = u.id and t.is_active where u.id = $3
     on conflict (uuid) do nothing`,
    [uuid, organisationId, accountId, credId, kind, publicKey, date],
  );
}

export async function endCredential(tx: Query, uuid: string): Promise<void> {
  await tx.query('update credentials set is_active = false where uuid = $1', [uuid]);
}
