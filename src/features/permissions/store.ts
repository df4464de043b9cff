/** SQL of permissions and their assignments. @module */

import type { Query } from '../../store/database.ts';

export type Managed = 'FullAdmin' | 'DefaultEndUser';

export interface PermissionRow {
  readonly id: string;
  readonly organisationId: string;
  readonly name: string;
  /** Empty for full admin access. */
  readonly operations: readonly string[];
  readonly managed: Managed | null;
  readonly isArchived: boolean;
  readonly dateCreated: Date;
  readonly dateUpdated: Date;
}

export interface AssignmentRow {
  readonly id: string;
  readonly organisationId: string;
  readonly permissionId: string;
  readonly identityId: string;
  readonly dateCreated: Date;
  readonly dateUpdated: Date;
}

/** After which row a list goes on, and how many rows to read. */
export interface Page {
  readonly date: Date | null;
  readonly id: string | null;
  readonly take: number;
}

type Found<T> = T & Record<string, unknown>;

const permissionColumns = `id, organisation_id as "organisationId", name, operations, managed, is_archived as "isArchived",
  date_created as "dateCreated", date_updated as "dateUpdated"`;

const assignmentColumns = `id, organisation_id as "organisationId", permission_id as "permissionId", identity_id as "identityId",
  date_created as "dateCreated", date_updated as "dateUpdated"`;

/**
 * Makes the changes of who may do what in an organisation follow one another until the end of the database transaction, so that names
 * stay unique and the last full admin is seen. Requests that only refer to the organisation do not wait.
 */
export async function lockAdministration(tx: Query, organisationId: string): Promise<void> {
  await tx.query('select id from organisations where id = $1 for no key update', [organisationId]);
}

export function listPermissions(query: Query, organisationId: string, { date, id, take }: Page): Promise<PermissionRow[]> {
  return query.query<Found<PermissionRow>>(
    `select ${permissionColumns} from permissions
     where organisation_id = $1 and (date_created, id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::text, ''))
     order by date_created desc, id desc limit $4`,
    [organisationId, date, id, take],
  );
}

export async function findPermission(query: Query, organisationId: string, id: string): Promise<PermissionRow | undefined> {
  const [row] = await query.query<Found<PermissionRow>>(
    `select ${permissionColumns} from permissions where organisation_id = $1 and id = $2`,
    [organisationId, id],
  );
  return row;
}

export async function hasPermissionNamed(query: Query, organisationId: string, name: string): Promise<boolean> {
  const rows = await query.query('select id from permissions where organisation_id = $1 and name = $2', [organisationId, name]);
  return rows.length > 0;
}

export async function insertPermission(tx: Query, row: PermissionRow): Promise<void> {
  await tx.query(
    `insert into permissions (id, organisation_id, name, operations, managed, is_archived, date_created, date_updated)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [row.id, row.organisationId, row.name, row.operations, row.managed, row.isArchived, row.dateCreated, row.dateUpdated],
  );
}

export async function updatePermission(tx: Query, row: PermissionRow): Promise<void> {
  await tx.query('update permissions set name = $2, operations = $3, is_archived = $4, date_updated = $5 where id = $1', [
    row.id,
    row.name,
    row.operations,
    row.isArchived,
    row.dateUpdated,
  ]);
}

export function listAssignments(query: Query, permissionId: string, { date, id, take }: Page): Promise<AssignmentRow[]> {
  return query.query<Found<AssignmentRow>>(
    `select ${assignmentColumns} from permission_assignments
     where permission_id = $1 and date_revoked is null and (date_created, id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::text, ''))
     order by date_created desc, id desc limit $4`,
    [permissionId, date, id, take],
  );
}

/** @returns whether it is new: false when that identity holds that permission already */
export async function insertAssignment(tx: Query, row: AssignmentRow): Promise<boolean> {
  const inserted = await tx.query(
    `insert into permission_assignments (id, organisation_id, permission_id, identity_id, date_created, date_updated)
     values ($1, $2, $3, $4, $5, $6) on conflict (identity_id, permission_id) where date_revoked is null do nothing returning id`,
    [row.id, row.organisationId, row.permissionId, row.identityId, row.dateCreated, row.dateUpdated],
  );
  return inserted.length > 0;
}

/** @returns whether it was in force */
export async function revokeAssignment(tx: Query, revoked: { permissionId: string; assignmentId: string; date: Date }): Promise<boolean> {
  const rows = await tx.query(
    `update permission_assignments set date_revoked = $3, date_updated = $3
     where permission_id = $1 and id = $2 and date_revoked is null returning id`,
    [revoked.permissionId, revoked.assignmentId, revoked.date],
  );
  return rows.length > 0;
}

/** Whether the id names somebody of the organisation to whom a permission can be assigned. */
export async function isIdentity(query: Query, organisationId: string, identityId: string): Promise<boolean> {
  const rows = await query.query('select id from users where organisation_id = $1 and id = $2 and date_deleted is null', [
    organisationId,
    identityId,
  ]);
  return rows.length > 0;
}

/** Whether somebody can still administer the organisation: an active user with full admin access and, a service account, a token to use it. */
export async function hasFullAdmin(query: Query, organisationId: string, now: Date): Promise<boolean> {
  const rows = await query.query(
    `select u.id
     from permissions p
     join permission_assignments a on a.permission_id = p.id and a.date_revoked is null
     join users u on u.id = a.identity_id and u.is_active and u.date_deleted is null
     where p.organisation_id = $1 and p.managed = 'FullAdmin'
       and (not u.is_service_account or exists (select 1 from tokens t where t.user_id = u.id and t.is_active and t.date_expires > $2))
     limit 1`,
    [organisationId, now],
  );
  return rows.length > 0;
}
