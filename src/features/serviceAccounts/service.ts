/**
 * Service accounts. Who may make, stop or delete one, the rules of the authority log say (`authority/accounts.ts`); what one is called, and
 * its externalId, decide nothing and are the service's alone.
 * @module
 */

import type { CreateServiceAccount } from '../../authority/bodies.ts';
import { Refusal } from '../../base/errors.ts';
import type { Database, Query } from '../../store/database.ts';
import type { Actions } from '../access/actions.ts';
import type { Caller } from '../access/caller.ts';
import { actionOf, type Context } from '../access/context.ts';
import type { Tokens } from '../access/tokens.ts';
import { made } from '../authority/projection.ts';
import type { Authority } from '../authority/service.ts';
import { type Binding, bodyHashOf, claimExternalId, externalIdConflict, findExternalId } from '../idempotency/store.ts';
import { bearerOf, shown } from './account.ts';
import { type ServiceAccount, serviceAccountsContract, type UpdateServiceAccount } from './contract.ts';
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
  authority: Authority;
  actions: Actions;
  tokens: Tokens;
}): ServiceAccountService {
  const { database, authority, actions, tokens } = parts;

  const find = async ({ organisationId }: Caller, id: string) => requireAccount(database, organisationId, id);

  async function setActive(context: Context, id: string, isActive: boolean): Promise<ServiceAccount> {
    const account = await find(context.caller, id);
    await authority.perform(context);
    return shown({ ...account, isActive });
  }

  /** The answer to a creation whose externalId is bound: nothing more is made. */
  function repeat(context: Context, externalId: string, { entityId, bodyHash }: Binding): Promise<ServiceAccount> {
    return actions.perform(context, async (tx) => {
      const isSame = bodyHash === bodyHashOf(actionOf(context).body);
      if (!isSame) throw externalIdConflict('service account', { id: entityId, externalId });
      return shown(await requireAccount(tx, context.caller.organisationId, entityId));
    });
  }

  return {
    async list({ organisationId }) {
      const rows = await store.listServiceAccounts(database, organisationId, { take: maxListed });
      return { items: rows.map((row) => shown(row)) };
    },

    create: (context, { externalId }) =>
      authority.inTurn(async (perform) => {
        const { organisationId } = context.caller;
        const bound = externalId === undefined ? undefined : await findExternalId(database, { organisationId, path, externalId });
        if (externalId !== undefined && bound !== undefined) return repeat(context, externalId, bound);
        const { id } = made(await perform(context), 'account');
        const account = await requireAccount(database, organisationId, id);
        return shown(account, tokens.issueBearer(bearerOf(account)));
      }),

    get: async (caller, id) => shown(await find(caller, id)),

    async update(context, id, { name, externalId }) {
      const { organisationId } = context.caller;
      const change = () =>
        actions.perform(context, async (tx) => {
          const account = await requireAccount(tx, organisationId, id);
          if (externalId !== undefined) {
            const bound = await claimExternalId(tx, { organisationId, path, externalId, entityId: id, bodyHash: null });
            if (bound !== undefined && bound.entityId !== id) {
              throw externalIdConflict('service account', { id: bound.entityId, externalId });
            }
          }
          if (name !== undefined) await store.renameServiceAccount(tx, id, name);
          return shown({ ...account, name: name ?? account.name });
        });
      // A creation that found the externalId free must find it free until it is made.
      return externalId === undefined ? change() : authority.inTurn(change);
    },

    activate: (context, id) => setActive(context, id, true),
    deactivate: (context, id) => setActive(context, id, false),
    delete: (context, id) => setActive(context, id, false),
  };
}

async function requireAccount(query: Query, organisationId: string, id: string): Promise<store.ListedServiceAccount> {
  const row = await store.findServiceAccount(query, organisationId, id);
  if (row === undefined) throw new Refusal('NotFound', 'Service account', { details: { serviceAccountId: id, orgId: organisationId } });
  return row;
}
