/**
 * The rules of keys. A key is made by the signers under an id chosen here, and recorded when all of them have their share.
 * @module
 */

import { to0x, toHex } from '../../base/bytes.ts';
import { type Clock, isoDate } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import { keyTypeOf, keyTypes } from '../../base/keyTypes.ts';
import { pageEnd, pageStart } from '../../base/pagination.ts';
import type { Coordinator, KeyReference } from '../../coordinator/coordinator.ts';
import type { Authorisation } from '../../crypto/authorisation.ts';
import type { Database, Query } from '../../store/database.ts';
import type { Actions } from '../access/actions.ts';
import type { Caller } from '../access/caller.ts';
import { actionOf, type Context } from '../access/context.ts';
import type { KeyStoreService } from '../keyStores/service.ts';
import type { CreateKey, Key, KeyDetail, ListKeys } from './contract.ts';
import * as store from './store.ts';

export interface KeyService {
  create(context: Context, wanted: CreateKey): Promise<Key>;
  list(caller: Caller, query: ListKeys): Promise<{ items: Key[]; nextPageToken?: string }>;
  get(caller: Caller, keyId: string): Promise<KeyDetail>;
  rename(context: Context, keyId: string, name: string | null): Promise<Key>;
  archive(context: Context, keyId: string): Promise<Key>;
  derive(context: Context, keyId: string, point: { domain: Uint8Array; seed: Uint8Array }): Promise<{ output: string }>;
  /** A key the caller may see. @throws {Refusal} NotFound, alike for an unknown key and for one of others */
  require(caller: Caller, keyId: string): Promise<store.FoundKey>;
}

export function createKeyService(parts: {
  database: Database;
  actions: Actions;
  keyStores: KeyStoreService;
  coordinator: Coordinator;
  clock: Clock;
}): KeyService {
  const { database, actions, keyStores, coordinator, clock } = parts;
  const find = store.keyFinder(database);

  async function requireKey(caller: Caller, keyId: string): Promise<store.FoundKey> {
    const key = await find(keyId);
    if (key === undefined || !isVisible(caller, key)) throw keyNotFound(caller, keyId);
    return key;
  }

  /** Spends the user action and changes the key, with no other change of it meanwhile. */
  async function change(context: Context, keyId: string, work: (tx: Query, key: store.KeyRow) => Promise<store.KeyRow>): Promise<Key> {
    await requireKey(context.caller, keyId);
    return actions.perform(context, async (tx) => {
      const key = await store.lockKey(tx, keyId);
      if (key === undefined) throw keyNotFound(context.caller, keyId);
      return keyOf(await work(tx, key));
    });
  }

  return {
    require: requireKey,

    async create(context, wanted) {
      refuseUnoffered(wanted);
      const { caller } = context;
      const keyType = keyTypeOf(wanted.scheme, wanted.curve);
      if (keyType === undefined) throw new Refusal('BadRequest', `there are no ${wanted.scheme} keys on ${wanted.curve}`);
      const { id: storeId } = await keyStores.storeFor(caller, wanted.storeId);

      return actions.performOutside(context, async () => {
        const id = newId('key');
        const made = await coordinator.createKey({ keyId: id, keyType, authorisation: authorisationOf(context) });
        const row: store.KeyRow = {
          id,
          organisationId: caller.organisationId,
          storeId,
          keyType,
          publicKey: made.publicKey,
          verificationShares: made.verificationShares,
          name: wanted.name ?? null,
          status: 'Active',
          delegatedTo: null,
          dateCreated: new Date(clock()),
          dateDeleted: null,
        };
        await store.insertKey(database, { ...row, chainCode: made.chainCode });
        return keyOf(row);
      });
    },

    async list(caller, query) {
      const { organisationId } = caller;
      const delegatedTo = ownKeysOnly(caller);
      const { owner } = query;
      const filter = { list: 'keys', organisationId, owner, ...(delegatedTo === null ? {} : { delegatedTo }) };
      const rows = await store.listKeys(database, { organisationId, delegatedTo, owner: owner ?? null }, pageStart(query, filter));
      const { rows: page, ...rest } = pageEnd(rows, query, filter, ({ dateCreated, id }) => ({ date: dateCreated, id }));
      return { items: page.map(keyOf), ...rest };
    },

    async get(caller, keyId) {
      const key = await requireKey(caller, keyId);
      return { ...keyOf(key), wallets: [], store: { id: key.storeId, kind: key.storeKind, keyId: key.id } };
    },

    rename: (context, keyId, name) =>
      change(context, keyId, async (tx, key) => {
        await store.renameKey(tx, keyId, name);
        return { ...key, name };
      }),

    archive: (context, keyId) =>
      change(context, keyId, async (tx, key) => {
        const now = new Date(clock());
        // Archived already: that is what was asked for.
        if (!(await store.moveKey(tx, keyId, 'archive', now))) return key;
        return { ...key, status: 'Archived', dateDeleted: now };
      }),

    async derive(context, keyId, { domain, seed }) {
      const key = await requireKey(context.caller, keyId);
      if (key.keyType !== 'DH/secp256k1')
        throw new Refusal('BadRequest', `derive is for DH keys; this key is ${keyTypes[key.keyType].scheme}`);
      requireActive(key);
      const output = await actions.performOutside(context, () =>
        coordinator.derive({ key: referenceOf(key), domain, seed, authorisation: authorisationOf(context) }),
      );
      return { output: to0x(output) };
    },
  };
}

/** What the signers are shown: the request, and the caller's signature over it. */
export function authorisationOf(context: Context): Authorisation {
  const { binding, body, assertion } = actionOf(context);
  return { binding, body, assertion };
}

export function referenceOf({ id, keyType, publicKey, verificationShares }: store.KeyRow): KeyReference {
  return { id, keyType, publicKey, verificationShares };
}

/** @throws {Refusal} BadRequest */
export function requireActive({ status }: Pick<store.KeyRow, 'status'>): void {
  if (status !== 'Active') throw new Refusal('BadRequest', 'the key is archived');
}

export function keyNotFound({ organisationId }: Caller, keyId: string): Refusal {
  return new Refusal('NotFound', 'Key', { details: { keyId, orgId: organisationId } });
}

/** An end user has what was delegated to them (contract §5.3); everybody else sees all keys of the organisation. */
function isVisible(caller: Caller, key: store.KeyRow): boolean {
  const owner = ownKeysOnly(caller);
  return key.organisationId === caller.organisationId && (owner === null || key.delegatedTo === owner);
}

function ownKeysOnly({ kind, userId }: Caller): string | null {
  return kind === 'EndUser' ? userId : null;
}

function refuseUnoffered({ masterKey, deriveFrom, delegateTo, delayDelegation }: CreateKey): void {
  if (masterKey || deriveFrom !== undefined) throw new Refusal('BadRequest', 'child keys (masterKey, deriveFrom) are not offered yet');
  if (delegateTo !== undefined || delayDelegation) {
    throw new Refusal('BadRequest', 'delegation (delegateTo, delayDelegation) is not offered yet');
  }
}

function keyOf(row: store.KeyRow): Key {
  return {
    id: row.id,
    ...keyTypes[row.keyType],
    publicKey: toHex(row.publicKey),
    ...(row.name === null ? {} : { name: row.name }),
    status: row.status,
    custodial: row.delegatedTo === null,
    dateCreated: isoDate(row.dateCreated.getTime()),
    ...(row.dateDeleted === null ? {} : { dateDeleted: isoDate(row.dateDeleted.getTime()) }),
  };
}
