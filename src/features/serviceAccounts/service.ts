/**
 * The rules of service accounts. Nobody stops or deletes themselves, and the organisation keeps a full admin who can act.
 * @module
 */

import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { importCredentialKey } from '../../crypto/assertions.ts';
import type { Database, Query } from '../../store/database.ts';
import type { Actions } from '../access/actions.ts';
import type { Caller } from '../access/caller.ts';
import { actionOf, type Context } from '../access/context.ts';
import { authorise } from '../access/gate.ts';
import type { Tokens } from '../access/tokens.ts';
import { bodyHashOf, claimExternalId, externalIdConflict } from '../idempotency/store.ts';
import { assignPermission, requireAssignable, requireFullAdmin } from '../permissions/service.ts';
import { lockAdministration } from '../permissions/store.ts';
import { bearerOf, newServiceAccount, shown } from './account.ts';
import { type CreateServiceAccount, type ServiceAccount, serviceAccountsContract, type UpdateServiceAccount } from './contract.ts';
import * as store from './store.ts';

const maxListed = 1000;
const { path } = serviceAccountsContract.createServiceAccount;

export interface ServiceAccountService {
  list(caller: Caller): Promise<{ items: ServiceAccount[] }>;
  create(context: Context, wanted: CreateServiceAccount): Promise<ServiceAccount>;
  get(caller: Caller, id: string): Promise<ServiceAccount>;
  update(context: Context, id: string, change: UpdateServiceAccount): Promise<ServiceAccount>;
  activate(context: Context, id: string): Promise<ServiceAccount>;
  deactivate(context: Context, id: string): Promise<ServiceAccount>;
  delete(context: Context, id: string): Promise<ServiceAccount>;
}

export function createServiceAccountService(parts: {
  database: Database;
  actions: Actions;
  tokens: Tokens;
  clock: Clock;
}): ServiceAccountService {
  const { database, actions, tokens, clock } = parts;

  /** Spends the user action and changes one account, with no other change of the administration meanwhile. */
  function change(context: Context, id: string, work: (tx: Query, account: store.ListedServiceAccount) => Promise<void>) {
    const { organisationId } = context.caller;
    return actions.perform(context, async (tx) => {
      await lockAdministration(tx, organisationId);
      const account = await requireAccount(tx, organisationId, id);
      await work(tx, account);
      return account;
    });
  }

  return {
    async list({ organisationId }) {
      const rows = await store.listServiceAccounts(database, organisationId, { take: maxListed });
      return { items: rows.map((row) => shown(row)) };
    },

    create(context, { name, publicKey, permissionId, externalId, daysValid }) {
      const { caller } = context;
      const { organisationId } = caller;
      importCredentialKey(publicKey);
      if (permissionId !== undefined) authorise(caller, 'Permissions:Assign');

      return actions.perform(context, async (tx) => {
        await lockAdministration(tx, organisationId);
        const now = new Date(clock());
        const account = newServiceAccount({ organisationId, name, publicKey, daysValid, now });
        if (externalId !== undefined) {
          const bodyHash = bodyHashOf(actionOf(context).body);
          const bound = await claimExternalId(tx, { organisationId, path, externalId, entityId: account.userId, bodyHash });
          if (bound !== undefined) {
            if (bound.bodyHash !== bodyHash) throw externalIdConflict('service account', { id: bound.entityId, externalId });
            return shown(await requireAccount(tx, organisationId, bound.entityId));
          }
        }
        const permission = permissionId === undefined ? undefined : await requireAssignable(tx, caller, permissionId);
        await store.insertServiceAccount(tx, account);
        if (permission !== undefined) await assignPermission(tx, permission, account.userId, now);
        return shown(await requireAccount(tx, organisationId, account.userId), tokens.issueBearer(bearerOf(account)));
      });
    },

    get: async ({ organisationId }, id) => shown(await requireAccount(database, organisationId, id)),

    async update(context, id, { name, externalId }) {
      const account = await change(context, id, async (tx) => {
        const { organisationId } = context.caller;
        if (externalId !== undefined) {
          const bound = await claimExternalId(tx, { organisationId, path, externalId, entityId: id, bodyHash: null });
          if (bound !== undefined && bound.entityId !== id) {
            throw externalIdConflict('service account', { id: bound.entityId, externalId });
          }
        }
        if (name !== undefined) await store.renameServiceAccount(tx, id, name);
      });
      return shown({ ...account, name: name ?? account.name });
    },

    async activate(context, id) {
      const account = await change(context, id, (tx) => store.setActive(tx, id, true));
      return shown({ ...account, isActive: true });
    },

    async deactivate(context, id) {
      const account = await change(context, id, async (tx, { assignments }) => {
        requireOther(context.caller, id);
        await store.setActive(tx, id, false);
        if (assignments.some(isFullAdmin)) await requireFullAdmin(tx, context.caller.organisationId, new Date(clock()));
      });
      return shown({ ...account, isActive: false });
    },

    async delete(context, id) {
      const account = await change(context, id, async (tx, { assignments }) => {
        requireOther(context.caller, id);
        const now = new Date(clock());
        await store.deleteServiceAccount(tx, id, now);
        if (assignments.some(isFullAdmin)) await requireFullAdmin(tx, context.caller.organisationId, now);
      });
      return shown({ ...account, isActive: false });
    },
  };
}

async function requireAccount(query: Query, organisationId: string, id: string): Promise<store.ListedServiceAccount> {
  const row = await store.findServiceAccount(query, organisationId, id);
  if (row === undefined) throw new Refusal('NotFound', 'Service account', { details: { serviceAccountId: id, orgId: organisationId } });
  return row;
}

function requireOther(caller: Caller, id: string): void {
  if (caller.userId === id) throw new Refusal('BadRequest', 'a service account cannot deactivate or delete itself');
}

function isFullAdmin({ managed }: { managed: string | null }): boolean {
  return managed === 'FullAdmin';
}
