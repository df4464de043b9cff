/**
 * The rules of permissions: who may do what is changed here, one change at a time in an organisation.
 *
 * Nobody gives away what they do not hold: whoever creates, extends, brings back or assigns a permission holds each of its operations.
 * An organisation always keeps somebody with full admin access.
 * @module
 */

import { type Clock, isoDate } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import { type PageFilter, type PageQuery, pageEnd, pageStart } from '../../base/pagination.ts';
import type { Database, Query } from '../../store/database.ts';
import type { Actions } from '../access/actions.ts';
import type { Caller } from '../access/caller.ts';
import type { Context } from '../access/context.ts';
import { authorise } from '../access/gate.ts';
import type { Assignment, Permission } from './contract.ts';
import { operations as allOperations, grantOf } from './operations.ts';
import * as store from './store.ts';

type PageOf<T> = { items: T[]; nextPageToken?: string };

export interface PermissionService {
  list(caller: Caller, query: PageQuery): Promise<PageOf<Permission>>;
  create(context: Context, wanted: { name: string; operations: readonly string[] }): Promise<Permission>;
  get(caller: Caller, permissionId: string): Promise<Permission>;
  update(context: Context, permissionId: string, change: { name?: string; operations?: readonly string[] }): Promise<Permission>;
  archive(context: Context, permissionId: string, isArchived: boolean): Promise<Permission>;
  listAssignments(caller: Caller, permissionId: string, query: PageQuery): Promise<PageOf<Assignment>>;
  assign(context: Context, permissionId: string, identityId: string): Promise<Assignment>;
  revoke(context: Context, assignment: { permissionId: string; assignmentId: string; force: boolean }): Promise<void>;
}

export function createPermissionService({
  database,
  actions,
  clock,
}: {
  database: Database;
  actions: Actions;
  clock: Clock;
}): PermissionService {
  /** Spends the user action and changes the administration, alone. */
  function administer<T>(context: Context, work: (tx: Query) => Promise<T>): Promise<T> {
    return actions.perform(context, async (tx) => {
      await store.lockAdministration(tx, context.caller.organisationId);
      return work(tx);
    });
  }

  async function requireFreeName(tx: Query, organisationId: string, name: string): Promise<void> {
    if (!(await store.hasPermissionNamed(tx, organisationId, name))) return;
    throw new Refusal('Conflict', 'a permission with this name exists already');
  }

  async function save(tx: Query, row: store.PermissionRow): Promise<Permission> {
    const saved = { ...row, dateUpdated: new Date(clock()) };
    await store.updatePermission(tx, saved);
    return permissionOf(saved);
  }

  return {
    async list({ organisationId }, query) {
      const filter = { list: 'permissions', organisationId };
      const rows = await store.listPermissions(database, organisationId, pageStart(query, filter));
      return page(rows, query, filter, permissionOf);
    },

    create: ({ caller, ...context }, { name, operations }) =>
      administer({ caller, ...context }, async (tx) => {
        requireHeld(caller, operations);
        await requireFreeName(tx, caller.organisationId, name);
        const now = new Date(clock());
        const row: store.PermissionRow = {
          id: newId('permission'),
          organisationId: caller.organisationId,
          name,
          operations,
          managed: null,
          isArchived: false,
          dateCreated: now,
          dateUpdated: now,
        };
        await store.insertPermission(tx, row);
        return permissionOf(row);
      }),

    get: async ({ organisationId }, permissionId) => permissionOf(await requirePermission(database, organisationId, permissionId)),

    update: (context, permissionId, { name, operations }) =>
      administer(context, async (tx) => {
        const { caller } = context;
        const row = await requirePermission(tx, caller.organisationId, permissionId);
        if (row.managed === 'FullAdmin') throw new Refusal('BadRequest', `${row.name} is immutable`);
        const isRenamed = name !== undefined && name !== row.name;
        if (isRenamed && row.managed !== null) throw new Refusal('BadRequest', `${row.name} keeps its name`);
        if (isRenamed) await requireFreeName(tx, caller.organisationId, name);
        if (operations !== undefined) {
          requireHeld(
            caller,
            operations.filter((operation) => !row.operations.includes(operation)),
          );
        }
        return save(tx, { ...row, name: name ?? row.name, operations: operations ?? row.operations });
      }),

    archive: (context, permissionId, isArchived) =>
      administer(context, async (tx) => {
        const row = await requirePermission(tx, context.caller.organisationId, permissionId);
        if (row.managed !== null) throw new Refusal('BadRequest', `${row.name} is never archived`);
        if (row.isArchived && !isArchived) requireHeld(context.caller, row.operations);
        return save(tx, { ...row, isArchived });
      }),

    async listAssignments({ organisationId }, permissionId, query) {
      await requirePermission(database, organisationId, permissionId);
      const filter = { list: 'assignments', permissionId };
      const rows = await store.listAssignments(database, permissionId, pageStart(query, filter));
      return page(rows, query, filter, assignmentOf);
    },

    assign: (context, permissionId, identityId) =>
      administer(context, async (tx) => {
        const permission = await requireAssignable(tx, context.caller, permissionId);
        if (!(await store.isIdentity(tx, context.caller.organisationId, identityId))) {
          throw new Refusal('NotFound', 'Identity', { details: { identityId, orgId: context.caller.organisationId } });
        }
        const assigned = await assignPermission(tx, permission, identityId, new Date(clock()));
        if (assigned === undefined) throw new Refusal('Conflict', 'this permission is assigned to this identity already');
        return assignmentOf(assigned);
      }),

    revoke: (context, { permissionId, assignmentId, force }) =>
      administer(context, async (tx) => {
        const { organisationId, isFullAdmin } = context.caller;
        if (force && !isFullAdmin) throw new Refusal('Forbidden', 'only a full admin may force a revocation');
        const permission = await requirePermission(tx, organisationId, permissionId);
        const now = new Date(clock());
        if (!(await store.revokeAssignment(tx, { permissionId, assignmentId, date: now }))) {
          throw new Refusal('NotFound', 'Assignment', { details: { assignmentId, permissionId, orgId: organisationId } });
        }
        if (permission.managed === 'FullAdmin') await requireFullAdmin(tx, organisationId, now);
      }),
  };
}

/** A permission the caller may give to others. @throws {Refusal} NotFound, Forbidden, BadRequest when it is archived */
export async function requireAssignable(tx: Query, caller: Caller, permissionId: string): Promise<store.PermissionRow> {
  const permission = await requirePermission(tx, caller.organisationId, permissionId);
  if (permission.isArchived) throw new Refusal('BadRequest', 'an archived permission cannot be assigned');
  requireHeld(caller, permission.managed === 'FullAdmin' ? allOperations : permission.operations);
  if (permission.managed === 'FullAdmin' && !caller.isFullAdmin) {
    throw new Refusal('Forbidden', 'only a full admin may assign full admin access');
  }
  return permission;
}

/** @returns undefined when that identity holds that permission already */
export async function assignPermission(
  tx: Query,
  permission: store.PermissionRow,
  identityId: string,
  now: Date,
): Promise<store.AssignmentRow | undefined> {
  const { organisationId, id: permissionId } = permission;
  const row = { id: newId('assignment'), organisationId, permissionId, identityId, dateCreated: now, dateUpdated: now };
  return (await store.insertAssignment(tx, row)) ? row : undefined;
}

/** To be asked after a change, under `lockAdministration`. @throws {Refusal} Conflict, and the change is rolled back */
export async function requireFullAdmin(tx: Query, organisationId: string, now: Date): Promise<void> {
  if (await store.hasFullAdmin(tx, organisationId, now)) return;
  throw new Refusal('Conflict', 'the organisation would be left without an active full admin');
}

/** What a permission shows as its operations. */
export function shownOperations({ managed, operations }: Pick<store.PermissionRow, 'managed' | 'operations'>): string[] {
  return managed === 'FullAdmin' ? [...allOperations] : [...operations];
}

async function requirePermission(query: Query, organisationId: string, permissionId: string): Promise<store.PermissionRow> {
  const row = await store.findPermission(query, organisationId, permissionId);
  if (row === undefined) throw new Refusal('NotFound', 'Permission', { details: { permissionId, orgId: organisationId } });
  return row;
}

/** @throws {Refusal} Forbidden, naming the first operation the caller lacks */
function requireHeld(caller: Caller, names: readonly string[]): void {
  for (const operation of names.flatMap(grantOf)) authorise(caller, operation);
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

function permissionOf(row: store.PermissionRow): Permission {
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

function assignmentOf({ id, permissionId, identityId, dateCreated, dateUpdated }: store.AssignmentRow): Assignment {
  return {
    id,
    permissionId,
    identityId,
    isImmutable: false,
    dateCreated: isoDate(dateCreated.getTime()),
    dateUpdated: isoDate(dateUpdated.getTime()),
  };
}
