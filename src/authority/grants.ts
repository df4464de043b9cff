/** What an account may do: the operations of every permission in force for it. @module */

import { Refusal } from '../base/errors.ts';
import { grantOf, type Operation } from './operations.ts';
import type { Account, AccountKind, Assignment, Permission, Registry } from './registry.ts';

/** Who asks: an account, through the credential that signed. */
export interface Caller {
  readonly organisationId: string;
  readonly userId: string;
  readonly tokenId: string;
  readonly kind: AccountKind;
  readonly credentialUuid: string;
}

type Identity = Pick<Caller, 'userId'>;

export function permits(registry: Registry, caller: Identity, operation: Operation): boolean {
  const grants = ({ managed, operations }: Permission) =>
    managed === 'FullAdmin' || operations.some((name) => grantOf(name).includes(operation));
  return inForce(registry, caller).some(grants);
}

/** Holds every operation, those of the future included. */
export function isFullAdmin(registry: Registry, caller: Identity): boolean {
  return inForce(registry, caller).some(({ managed }) => managed === 'FullAdmin');
}

/** @throws {Refusal} Forbidden, in the words of contract §1.5 */
export function requirePermitted(registry: Registry, caller: Caller, operation: Operation): void {
  if (permits(registry, caller, operation)) return;
  throw new Refusal('Forbidden', `${caller.kind} ${caller.userId} is not authorized to perform operation (${operation})`);
}

/** Nobody gives away what they do not hold. @throws {Refusal} Forbidden, naming the first operation the caller lacks */
export function requireHeld(registry: Registry, caller: Caller, names: readonly string[]): void {
  for (const operation of names.flatMap(grantOf)) requirePermitted(registry, caller, operation);
}

/**
 * The organisation keeps somebody who can administer it.
 *
 * @param loss what a change is about to take away
 * @param at   unix seconds: the time of the action that asks for it
 * @throws {Refusal} Conflict
 */
export function requireFullAdminWithout(registry: Registry, loss: { account: Account } | { assignment: Assignment }, at: number): void {
  for (const assignment of registry.assignments.values()) {
    const account = registry.accounts.get(assignment.identityId);
    const isLost = 'account' in loss ? loss.account.id === account?.id : loss.assignment.id === assignment.id;
    const isFullAdminAssignment = registry.permissions.get(assignment.permissionId)?.managed === 'FullAdmin';
    if (isFullAdminAssignment && !isLost && account?.status === 'Active' && account.validUntil > at) return;
  }
  throw new Refusal('Conflict', 'the organisation would be left without an active full admin');
}

function inForce(registry: Registry, { userId }: Identity): Permission[] {
  return Array.from(registry.assignmentsOf(userId)).flatMap(({ permissionId }) => {
    const permission = registry.permissions.get(permissionId);
    return permission === undefined || permission.isArchived ? [] : [permission];
  });
}
