/**
 * The rules of permissions. Nobody gives away what they do not hold: whoever creates, extends, brings back or assigns a permission holds
 * each of its operations. An organisation always keeps somebody with full admin access.
 * @module
 */

import { Refusal } from '../base/errors.ts';
import { type Caller, isFullAdmin, requireFullAdminWithout, requireHeld } from './grants.ts';
import { operations as allOperations } from './operations.ts';
import type { Permission, Registry } from './registry.ts';
import { registryRequests } from './requests.ts';
import { fresh, rule } from './rule.ts';

const { createPermission, updatePermission, archivePermission, createAssignment, deleteAssignment } = registryRequests;

export const creation = rule(createPermission, ({ registry, caller, names, body: { name, operations } }) => {
  requireHeld(registry, caller, operations);
  requireFreeName(registry, name);
  const id = fresh(registry.permissions, names.id('permission'));
  return [{ kind: 'permission', record: { id, name, operations, managed: null, isArchived: false } }];
});

export const update = rule(updatePermission, ({ registry, caller, params, body: { name, operations } }) => {
  const permission = requirePermission(registry, params.permissionId);
  if (permission.managed === 'FullAdmin') throw new Refusal('BadRequest', `${permission.name} is immutable`);
  const isRenamed = name !== undefined && name !== permission.name;
  if (isRenamed && permission.managed !== null) throw new Refusal('BadRequest', `${permission.name} keeps its name`);
  if (isRenamed) requireFreeName(registry, name);
  const added = (operations ?? []).filter((operation) => !permission.operations.includes(operation));
  requireHeld(registry, caller, added);
  return [
    {
      kind: 'permission',
      record: { ...permission, name: name ?? permission.name, operations: operations ?? permission.operations },
    },
  ];
});

export const archival = rule(archivePermission, ({ registry, caller, params, body: { isArchived } }) => {
  const permission = requirePermission(registry, params.permissionId);
  if (permission.managed !== null) throw new Refusal('BadRequest', `${permission.name} is never archived`);
  if (permission.isArchived && !isArchived) requireHeld(registry, caller, permission.operations);
  return [{ kind: 'permission', record: { ...permission, isArchived } }];
});

export const assignment = rule(createAssignment, ({ registry, caller, names, params, body: { identityId } }) => {
  const permission = requireAssignable(registry, caller, params.permissionId);
  const identity = registry.accounts.get(identityId);
  if (identity === undefined || identity.status === 'Deleted') {
    throw new Refusal('NotFound', 'Identity', { details: { identityId, orgId: registry.organisationId } });
  }
  if ([...registry.assignmentsOf(identityId)].some(({ permissionId }) => permissionId === permission.id)) {
    throw new Refusal('Conflict', 'this permission is assigned to this identity already');
  }
  const id = fresh(registry.assignments, names.id('assignment'));
  return [{ kind: 'assignment', record: { id, permissionId: permission.id, identityId } }];
});

export const revocation = rule(deleteAssignment, ({ registry, caller, at, params, query }) => {
  const { permissionId, assignmentId } = params;
  if (query.force === 'true' && !isFullAdmin(registry, caller)) {
    throw new Refusal('Forbidden', 'only a full admin may force a revocation');
  }
  const permission = requirePermission(registry, permissionId);
  const record = registry.assignments.get(assignmentId);
  if (record?.permissionId !== permissionId) {
    throw new Refusal('NotFound', 'Assignment', { details: { assignmentId, permissionId, orgId: registry.organisationId } });
  }
  if (permission.managed === 'FullAdmin') requireFullAdminWithout(registry, { assignment: record }, at);
  return [{ kind: 'revocation', record }];
});

/** A permission the caller may give to others. @throws {Refusal} NotFound, Forbidden, BadRequest when it is archived */
export function requireAssignable(registry: Registry, caller: Caller, permissionId: string): Permission {
  const permission = requirePermission(registry, permissionId);
  if (permission.isArchived) throw new Refusal('BadRequest', 'an archived permission cannot be assigned');
  requireHeld(registry, caller, permission.managed === 'FullAdmin' ? allOperations : permission.operations);
  if (permission.managed === 'FullAdmin' && !isFullAdmin(registry, caller)) {
    throw new Refusal('Forbidden', 'only a full admin may assign full admin access');
  }
  return permission;
}

function requirePermission(registry: Registry, permissionId: string): Permission {
  const permission = registry.permissions.get(permissionId);
  if (permission !== undefined) return permission;
  throw new Refusal('NotFound', 'Permission', { details: { permissionId, orgId: registry.organisationId } });
}

/** Archived permissions keep their names. */
function requireFreeName(registry: Registry, wanted: string): void {
  for (const { name } of registry.permissions.values()) {
    if (name === wanted) throw new Refusal('Conflict', 'a permission with this name exists already');
  }
}
