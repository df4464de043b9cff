/**
 * Keys. A key is asked for in the authority log first (`authority/keys.ts` has the rules), under an id that follows from the request; then
 * the signers make it, and it is recorded when all of them have their share.
 * @module
 */

import type { ExportKey, ImportedShares } from '../../authority/bodies.ts';
import { protocolFor } from '../../authority/keyExport.ts';
import { parseBody } from '../../authority/parse.ts';
import type { Key as RegisteredKey } from '../../authority/registry.ts';
import { registryRequests } from '../../authority/requests.ts';
import { to0x, toBase64, toHex } from '../../base/bytes.ts';
import { isoDate } from '../../base/clock.ts';
import { Abort, assert, Refusal } from '../../base/errors.ts';
import { keyTypes } from '../../base/keyTypes.ts';
import { pageEnd, pageStart } from '../../base/pagination.ts';
import type { Coordinator, KeyReference, NewKey } from '../../coordinator/coordinator.ts';
import type { Database } from '../../store/database.ts';
import type { Actions } from '../access/actions.ts';
import type { Caller } from '../access/caller.ts';
import { actionOf, authorisationOf, type Context } from '../access/context.ts';
import { recordRefusal } from '../audit/store.ts';
import type { Performed } from '../authority/copy.ts';
import type { Authority } from '../authority/service.ts';
import { walletsOfKey } from '../wallets/store.ts';
import type { Key, KeyDetail, KeyExport, ListKeys } from './contract.ts';
import { rememberedKeys, type SigningKey } from './remembered.ts';
import * as store from './store.ts';

export interface KeyService {
  /** One that is made, derived, or imported. */
  create(context: Context, wanted: { readonly name?: string }): Promise<Key>;
  /**
   * Has the signers make the key that an entry of the log has asked for, if it has asked for one, and records it.
   * @returns undefined when the entry asked for none
   * @throws {Refusal} Unavailable; for an imported key also BadRequest, and Conflict when it is here already
   */
  make(context: Context, performed: Performed, name?: string | null): Promise<store.KeyRow | undefined>;
  list(caller: Caller, query: ListKeys): Promise<{ items: Key[]; nextPageToken?: string }>;
  get(caller: Caller, keyId: string): Promise<KeyDetail>;
  rename(context: Context, keyId: string, name: string | null): Promise<Key>;
  archive(context: Context, keyId: string): Promise<Key>;
  /**
   * By a request to a key, or to a wallet on it. Asked again for the same encryption key, it gives the same shares again.
   * @throws {Refusal} what `authority/keyExport.ts` refuses; Unavailable: then the key is exported, and its shares are to be asked for again
   */
  export(context: Context, keyId: string, wanted: ExportKey): Promise<KeyExport>;
  /** By a request to a key, or to a wallet on it. */
  delegate(context: Context, keyId: string): Promise<{ keyId: string; status: 'Delegated' }>;
  derive(context: Context, keyId: string, point: { domain: Uint8Array; seed: Uint8Array }): Promise<{ output: string }>;
  /** A key the caller may see. @throws {Refusal} NotFound, alike for an unknown key and for one of others */
  require(caller: Caller, keyId: string): Promise<store.FoundKey>;
  /** The same, as far as signing needs it; says nothing about whether the key is active. @throws {Refusal} NotFound */
  requireForSigning(caller: Caller, keyId: string): Promise<SigningKey>;
}

export function createKeyService(parts: {
  database: Database;
  authority: Authority;
  actions: Actions;
  coordinator: Coordinator;
}): KeyService {
  const { database, authority, actions, coordinator } = parts;
  const find = store.keyFinder(database);
  const remembered = rememberedKeys();

  async function requireKey(caller: Caller, keyId: string): Promise<store.FoundKey> {
    const key = await find(keyId);
    if (key === undefined || !isVisible(caller, key)) throw keyNotFound(caller, keyId);
    return key;
  }

  /** The refusal goes on to the caller, and into the audit log: the request has its entry in the authority log, and came to nothing. */
  async function afterEntry<T>(context: Context, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      const error = cause instanceof Abort ? new Refusal('Unavailable', 'the signers could not do it together', { cause }) : cause;
      const reason = error instanceof Refusal ? error.message : 'Internal Server Error';
      await recordRefusal(database, actionOf(context).binding.nonce, reason);
      throw error;
    }
  }

  async function sharesOf(context: Context, { id, keyType, derivedFrom, imported }: RegisteredKey): Promise<NewKey> {
    if (imported !== undefined) return coordinator.importKey({ keyId: id, shares: sharesIn(actionOf(context).body) });
    if (derivedFrom === undefined) return coordinator.createKey({ keyId: id, keyType });
    const child = await coordinator.findKey(id);
    if (child === undefined) throw new Refusal('Unavailable', `too few signers hold the master key ${derivedFrom.keyId}`);
    return child;
  }

  async function make(context: Context, performed: Performed, name: string | null = null): Promise<store.KeyRow | undefined> {
    const asked = performed.changes.find((change) => change.kind === 'key');
    if (asked === undefined) return undefined;
    const key = asked.record;
    return afterEntry(context, async () => {
      const held = await sharesOf(context, key);
      const row = store.rowOf({ key, held, ids: authority.registry.ids, name, dateCreated: performed.date });
      if (await store.insertKey(database, row)) return row;
      const keyId = await store.findByPublicKey(database, row);
      if (keyId !== key.id) throw new Refusal('Conflict', 'this key is here already', { details: { keyId } });
      return row;
    });
  }

  return {
    require: requireKey,
    make,

    async requireForSigning(caller, keyId) {
      const known = remembered.get(keyId);
      if (known?.organisationId === caller.organisationId && ownKeysOnly(caller) === null) return known;
      const key = await requireKey(caller, keyId);
      remembered.add(key);
      return key;
    },

    async create(context, { name }) {
      const row = await make(context, await authority.perform(context), name);
      assert(row, 'an entry that creates a key makes one');
      return keyOf(row);
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
      return {
        ...keyOf(key),
        wallets: await walletsOfKey(database, keyId),
        store: { id: key.storeId, kind: key.storeKind, ...placeOf(key) },
      };
    },

    async rename(context, keyId, name) {
      const key = await requireKey(context.caller, keyId);
      await actions.perform(context, (tx) => store.renameKey(tx, keyId, name));
      return keyOf({ ...key, name });
    },

    async archive(context, keyId) {
      await requireKey(context.caller, keyId);
      await authority.perform(context);
      return keyOf(await requireKey(context.caller, keyId));
    },

    async export(context, keyId, wanted) {
      const key = await requireKey(context.caller, keyId);
      await authority.perform(context);
      const boxes = await afterEntry(context, () => coordinator.exportShares(referenceOf(key)));
      const { signers, threshold } = coordinator.cluster;
      return {
        publicKey: toHex(key.publicKey),
        protocol: protocolFor(key, wanted),
        curve: keyTypes[key.keyType].curve,
        minSigners: threshold + 1,
        encryptedKeyShares: signers.flatMap(({ index, signerId }) => {
          const box = boxes.get(index);
          return box === undefined ? [] : [{ signerId, encryptedKeyShare: toBase64(box) }];
        }),
      };
    },

    async delegate(context, keyId) {
      await requireKey(context.caller, keyId);
      await authority.perform(context);
      return { keyId, status: 'Delegated' };
    },

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

export function referenceOf({ id, keyType, publicKey, epoch, threshold, verificationShares }: SigningKey): KeyReference {
  return { id, keyType, publicKey, epoch, threshold: threshold ?? undefined, verificationShares };
}

/** @throws {Refusal} BadRequest */
export function requireActive({ status, dateExported }: Pick<store.KeyRow, 'status' | 'dateExported'>): void {
  if (status !== 'Active') throw new Refusal('BadRequest', 'the key is archived');
  if (dateExported !== null) throw new Refusal('BadRequest', 'the key was exported: it is used here no more');
}

export function keyNotFound({ organisationId }: Caller, keyId: string): Refusal {
  return new Refusal('NotFound', 'Key', { details: { keyId, orgId: organisationId } });
}

/** An end user has what was delegated to them (contract §5.3); everybody else sees all keys of the organisation. */
export function isVisible(caller: Caller, key: Pick<store.KeyRow, 'organisationId' | 'delegatedTo'>): boolean {
  const owner = ownKeysOnly(caller);
  return key.organisationId === caller.organisationId && (owner === null || key.delegatedTo === owner);
}

export function ownKeysOnly({ kind, userId }: Caller): string | null {
  return kind === 'EndUser' ? userId : null;
}

/** Of a request to import a key, or a wallet with one. @throws {Refusal} BadRequest */
function sharesIn(body: Uint8Array): ImportedShares {
  return parseBody(registryRequests.importKey.body, body).encryptedKeyShares;
}

/** Where in its store a key is: a child is its master's, at a path. */
function placeOf({ id, derivedFrom, derivationPath }: store.KeyRow): Pick<KeyDetail['store'], 'keyId' | 'derivationPath'> {
  return derivedFrom === null || derivationPath === null ? { keyId: id } : { keyId: derivedFrom, derivationPath };
}

function keyOf(row: store.KeyRow): Key {
  const { derivedFrom, derivationPath } = row;
  return {
    id: row.id,
    ...keyTypes[row.keyType],
    publicKey: toHex(row.publicKey),
    ...(row.isMaster && { masterKey: true }),
    ...(row.isImported && { imported: true }),
    ...(derivedFrom !== null && derivationPath !== null && { derivedFrom: { keyId: derivedFrom, path: derivationPath } }),
    ...(row.name === null ? {} : { name: row.name }),
    status: row.status,
    custodial: row.delegatedTo === null,
    dateCreated: isoDate(row.dateCreated.getTime()),
    ...(row.dateExported === null ? {} : { exported: true, dateExported: isoDate(row.dateExported.getTime()) }),
    ...(row.dateDeleted === null ? {} : { dateDeleted: isoDate(row.dateDeleted.getTime()) }),
  };
}
