/**
 * The rules of service accounts. Nobody stops or deletes themselves, and the organisation keeps a full admin who can act.
 * @module
 */

import { Refusal } from '../base/errors.ts';
import { importCredentialKey } from '../crypto/assertions.ts';
import { type Caller, requireFullAdminWithout, requirePermitted } from './grants.ts';
import { requireAssignable } from './permissions.ts';
import type { Account, Change, Registry } from './registry.ts';
import { registryRequests } from './requests.ts';
import { daySeconds } from './root.ts';
import { fresh, type Ground, rule } from './rule.ts';

const { createServiceAccount, activateServiceAccount, deactivateServiceAccount, deleteServiceAccount } = registryRequests;

/** An account's token, and with it the account, is valid from the time of the action that made it. An externalId decides nothing here. */
export const creation = rule(createServiceAccount, ({ registry, caller, names, at, body }) => {
  const { publicKey, permissionId, daysValid } = body;
  const key = importCredentialKey(publicKey);
  if (permissionId !== undefined) requirePermitted(registry, caller, 'Permissions:Assign');
  const permission = permissionId === undefined ? undefined : requireAssignable(registry, caller, permissionId);

  const id = fresh(registry.accounts, names.id('user'));
  const credId = fresh(registry.credentials, names.credId());
  const changes: Change[] = [
    {
      kind: 'account',
      record: { id, kind: 'ServiceAccount', tokenId: names.id('token'), status: 'Active', validUntil: at + daysValid * daySeconds },
    },
    {
      kind: 'credential',
      record: { uuid: names.id('credential'), credId, accountId: id, kind: 'Key', publicKey, key, isActive: true },
    },
  ];
  if (permission === undefined) return changes;
  const assignmentId = fresh(registry.assignments, names.id('assignment'));
  return [...changes, { kind: 'assignment', record: { id: assignmentId, permissionId: permission.id, identityId: id } }];
});

export const activation = rule(activateServiceAccount, ({ registry, params }) => {
  const account = requireAccount(registry, params.serviceAccountId);
  return [{ kind: 'account', record: { ...account, status: 'Active' } }];
});

export const deactivation = rule(deactivateServiceAccount, ({ params, ...ground }) => {
  const account = requireStoppable(ground, params.serviceAccountId);
  return [{ kind: 'account', record: { ...account, status: 'Deactivated' } }];
});

/** For good: its credential and what it was assigned end with it. */
export const deletion = rule(deleteServiceAccount, ({ params, ...ground }) => {
  const { registry } = ground;
  const account = requireStoppable(ground, params.serviceAccountId);
  const credentials = Array.from(registry.credentialsOf(account.id), (credential): Change => {
    return { kind: 'credential', record: { ...credential, isActive: false } };
  });
  const revocations = Array.from(registry.assignmentsOf(account.id), (record): Change => ({ kind: 'revocation', record }));
  return [{ kind: 'account', record: { ...account, status: 'Deleted' } }, ...credentials, ...revocations];
});

function requireStoppable({ registry, caller, at }: Ground, id: string): Account {
  const account = requireAccount(registry, id);
  requireOther(caller, id);
  const holdsFullAdmin = [...registry.assignmentsOf(id)].some(({ permissionId }) => permissionId === registry.ids.fullAdminId);
  if (holdsFullAdmin) requireFullAdminWithout(registry, { account }, at);
  return account;
}

/** Whom keys are delegated to. @throws {Refusal} NotFound, BadRequest */
export function requireEndUser(registry: Registry, userId: string): Account {
  const account = registry.accounts.get(userId);
  if (account === undefined || account.status === 'Deleted') {
    throw new Refusal('NotFound', 'User', { details: { userId, orgId: registry.organisationId } });
  }
  if (account.kind !== 'EndUser') throw new Refusal('BadRequest', `keys are delegated to end users; ${userId} is a ${account.kind}`);
  if (account.status !== 'Active') throw new Refusal('BadRequest', `end user ${userId} is not active`);
  return account;
}

function requireAccount(registry: Registry, id: string): Account {
  const account = registry.accounts.get(id);
  if (account?.kind === 'ServiceAccount' && account.status !== 'Deleted') return account;
  throw new Refusal('NotFound', 'Service account', { details: { serviceAccountId: id, orgId: registry.organisationId } });
}

function requireOther(caller: Caller, id: string): void {
  if (caller.userId === id) throw new Refusal('BadRequest', 'a service account cannot deactivate or delete itself');
}
