/** SQL of permissions and their assignments. @module */

import type { Managed } from '../../authority/managed.ts';
import type { Query } from '../../store/database.ts';

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

/** Of one that stands, what may change. */
export async function putPermission(tx: Query, row: PermissionRow): Promise<void> {
  await tx.query(
    `insert into permissions (id, organisation_id, name, operations, managed, is_archived, date_created, date_updated)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (id) do update set name = excluded.name, operations = excluded.operations, is_archived = excluded.is_archived,
       date_updated = excluded.date_updated`,
    [row.id, row.organisationId, row.name, row.operations, row.managed, row.isArchived, row.dateCreated, row.dateUpdated],
  );
}

export function listAssignments(query: Query, permissionId: string, { date, id, take }: Page): Promise<AssignmentRow[]> {
  return query.query<Found<AssignmentRow>>(
    `select ${assignmentColumns} from permission_assignments
     where permission_id = $1 and date_revoked is null and (date_created, id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::text, ''))
     order by date_created desc, id desc limit $4`,
    [permissionId, date, id, take],
  );
}

export async function insertAssignment(tx: Query, row: AssignmentRow): Promise<void> {
  await tx.query(
    `insert into permission_assignments (id, organisation_id, permission_id, identity_id, date_created, date_updated)
     values ($1, $2, $3, $4, $5, $6) on conflict (id) do nothing`,
    [row.id, row.organisationId, row.permissionId, row.identityId, row.dateCreated, row.dateUpdated],
  );
}

export async function revokeAssignment(tx: Query, id: string, date: Date): Promise<void> {
  await tx.query('update permission_assignments set date_revoked = $2, date_updated = $2 where id = $1 and date_revoked is null', [
    id,
    date,
  ]);
}
