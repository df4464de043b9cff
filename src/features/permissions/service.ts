/**
 * Permissions and who holds them. What may be changed, and by whom, the rules of the authority log say (`authority/permissions.ts`).
 * @module
 */

import { operations as allOperations } from '../../authority/operations.ts';
import { isoDate } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { type PageFilter, type PageQuery, pageEnd, pageStart } from '../../base/pagination.ts';
import type { Database } from '../../store/database.ts';
import type { Caller } from '../access/caller.ts';
import type { Context } from '../access/context.ts';
import { made } from '../authority/projection.ts';
import type { Authority } from '../authority/service.ts';
import type { Assignment, Permission } from './contract.ts';
import * as store from './store.ts';

type PageOf<T> = { items: T[]; nextPageToken?: string };

export interface PermissionService {
  list(caller: Caller, query: PageQuery): Promise<PageOf<Permission>>;
  create(context: Context): Promise<Permission>;
  get(caller: Caller, permissionId: string): Promise<Permission>;
  update(context: Context, permissionId: string): Promise<Permission>;
  archive(context: Context, permissionId: string): Promise<Permission>;
  listAssignments(caller: Caller, permissionId: string, query: PageQuery): Promise<PageOf<Assignment>>;
  assign(context: Context): Promise<Assignment>;
  /** @param force as the query says: the direct client signs the path without it, so that the log does not know */
  revoke(context: Context, { force }: { force: boolean }): Promise<void>;
}

export function createPermissionService({ database, authority }: { database: Database; authority: Authority }): PermissionService {
  async function show({ organisationId }: Caller, permissionId: string): Promise<Permission> {
    return permissionOf(await requirePermission(organisationId, permissionId));
  }

  async function requirePermission(organisationId: string, permissionId: string): Promise<store.PermissionRow> {
    const row = await store.findPermission(database, organisationId, permissionId);
    if (row === undefined) throw new Refusal('NotFound', 'Permission', { details: { permissionId, orgId: organisationId } });
    return row;
  }

  async function change(context: Context, permissionId: string): Promise<Permission> {
    await authority.perform(context);
    return show(context.caller, permissionId);
  }

  return {
    async list({ organisationId }, query) {
      const filter = { list: 'permissions', organisationId };
      const rows = await store.listPermissions(database, organisationId, pageStart(query, filter));
      return page(rows, query, filter, permissionOf);
    },

    async create(context) {
      const performed = await authority.perform(context);
      const { date } = performed;
      return permissionOf({ ...made(performed, 'permission'), dateCreated: date, dateUpdated: date });
    },

    get: show,
    update: change,
    archive: change,

    async listAssignments({ organisationId }, permissionId, query) {
      await requirePermission(organisationId, permissionId);
      const filter = { list: 'assignments', permissionId };
      const rows = await store.listAssignments(database, permissionId, pageStart(query, filter));
      return page(rows, query, filter, assignmentOf);
    },

    async assign(context) {
      const performed = await authority.perform(context);
      const { date } = performed;
      return assignmentOf({ ...made(performed, 'assignment'), dateCreated: date, dateUpdated: date });
    },

    async revoke(context, { force }) {
      if (force && !context.caller.isFullAdmin) throw new Refusal('Forbidden', 'only a full admin may force a revocation');
      await authority.perform(context);
    },
  };
}

/** What a permission shows as its operations. */
export function shownOperations({ managed, operations }: Pick<store.PermissionRow, 'managed' | 'operations'>): string[] {
  return managed === 'FullAdmin' ? [...allOperations] : [...operations];
}

function page<R extends { id: string; dateCreated: Date }, T>(
  rows: readonly R[],
  query: PageQuery,
  filter: PageFilter,
  show: (row: R) => T,
): PageOf<T> {
  const { rows: shown, ...rest } = pageEnd(rows, query, filter, ({ dateCreated, id }) => ({ date: dateCreated, id }));
  return { items: shown.map(show), ...rest };
}

function permissionOf(row: Omit<store.PermissionRow, 'organisationId'>): Permission {
  return {
    id: row.id,
    name: row.name,
    operations: shownOperations(row),
    status: 'Active',
    isImmutable: row.managed === 'FullAdmin',
    isArchived: row.isArchived,
    dateCreated: isoDate(row.dateCreated.getTime()),
    dateUpdated: isoDate(row.dateUpdated.getTime()),
  };
}

function assignmentOf(row: Omit<store.AssignmentRow, 'organisationId'>): Assignment {
  return {
    id: row.id,
    permissionId: row.permissionId,
    identityId: row.identityId,
    isImmutable: false,
    dateCreated: isoDate(row.dateCreated.getTime()),
    dateUpdated: isoDate(row.dateUpdated.getTime()),
  };
}
