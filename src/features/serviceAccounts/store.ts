/** SQL of service accounts: a user, its token and the credential of that token. @module */

import type { Query } from '../../store/database.ts';
import type { Managed } from '../permissions/store.ts';

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
    t.date_expires as "dateExpires", granted.assignments
  from users u
  join tokens t on t.user_id = u.id and t.kind = 'ServiceAccount'
  join credentials c on c.token_id = t.id
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

/** One statement: the three rows are there together. */
export async function insertServiceAccount(tx: Query, row: ServiceAccountRow): Promise<void> {
  await tx.query(
    `with account as (
       insert into users (id, organisation_id, kind, is_service_account, username, is_active, date_created)
       values ($1, $2, 'CustomerEmployee', true, $3, $4, $9)
     ), token as (
       insert into tokens (id, organisation_id, user_id, kind, name, is_active, date_created, date_expires)
       values ($5, $2, $1, 'ServiceAccount', $3, true, $9, $10)
     )
     insert into credentials (uuid, organisation_id, user_id, token_id, cred_id, kind, name, public_key, is_active, date_created)
     values ($6, $2, $1, $5, $7, 'Key', $3, $8, true, $9)`,
    [
      row.userId,
      row.organisationId,
      row.name,
      row.isActive,
      row.tokenId,
      row.credentialUuid,
      row.credId,
      row.publicKey,
      row.dateCreated,
      row.dateExpires,
    ],
  );
}

export async function renameServiceAccount(tx: Query, userId: string, name: string): Promise<void> {
  await tx.query('update users set username = $2 where id = $1', [userId, name]);
}

export async function setActive(tx: Query, userId: string, isActive: boolean): Promise<void> {
  await tx.query('update users set is_active = $2 where id = $1 and date_deleted is null', [userId, isActive]);
}

/** For good: its token, its credential and what it was assigned end with it. */
export async function deleteServiceAccount(tx: Query, userId: string, now: Date): Promise<void> {
  await tx.query(
    `with account as (update users set is_active = false, date_deleted = $2 where id = $1),
       token as (update tokens set is_active = false where user_id = $1),
       revoked as (
         update permission_assignments set date_revoked = $2, date_updated = $2 where identity_id = $1 and date_revoked is null
       )
     update credentials set is_active = false where user_id = $1`,
    [userId, now],
  );
}
