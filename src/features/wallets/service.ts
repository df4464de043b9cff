/**
 * Wallets: keys bound to networks. One is made in the authority log, together with its key when that is new (`authority/wallets.ts` has the
 * rules); its address follows from key and network. What signs through a wallet is signed for its network, by rules that the signers know.
 * @module
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { CreateWallet, ExportKey } from '../../authority/bodies.ts';
import { toHex } from '../../base/bytes.ts';
import { isoDate } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { keyTypes } from '../../base/keyTypes.ts';
import { type PageQuery, pageEnd, pageStart } from '../../base/pagination.ts';
import { addressOf } from '../../chains/index.ts';
import type { Body } from '../../chains/requests.ts';
import type { Database, Query } from '../../store/database.ts';
import type { Actions } from '../access/actions.ts';
import type { Caller } from '../access/caller.ts';
import { actionOf, type Context } from '../access/context.ts';
import { made } from '../authority/projection.ts';
import type { Authority } from '../authority/service.ts';
import { type Binding, bodyHashOf, claimExternalId, externalIdConflict, findExternalId } from '../idempotency/store.ts';
import type { KeyExport } from '../keys/contract.ts';
import { isVisible, type KeyService, ownKeysOnly } from '../keys/service.ts';
import type { SignatureService } from '../signatures/service.ts';
import { type ListWallets, type UpdateWallet, type Wallet, type WalletSignature, walletsContract } from './contract.ts';
import * as store from './store.ts';

/** How long a repeated creation waits for the key of the first, and how often it looks. */
const keyWithinMs = 5_000;
const pollMs = 50;
/** Of one wallet. */
const maxTags = 200;
const { path } = walletsContract.createWallet;

export interface WalletService {
  /** On a key that stands, is made, or is imported. */
  create(context: Context, wanted: Pick<CreateWallet, 'externalId'>): Promise<Wallet>;
  list(caller: Caller, query: ListWallets): Promise<{ items: Wallet[]; nextPageToken?: string }>;
  get(caller: Caller, walletId: string): Promise<Wallet>;
  update(context: Context, walletId: string, change: UpdateWallet): Promise<Wallet>;
  tag(context: Context, walletId: string, tags: readonly string[]): Promise<Record<string, never>>;
  untag(context: Context, walletId: string, tags: readonly string[]): Promise<Record<string, never>>;
  export(context: Context, walletId: string, wanted: ExportKey): Promise<KeyExport>;
  delegate(context: Context, walletId: string): Promise<{ walletId: string; status: 'Delegated' }>;
  sign(context: Context, walletId: string, body: Body): Promise<WalletSignature>;
  listSignatures(
    caller: Caller,
    walletId: string,
    query: PageQuery,
  ): Promise<{ items: WalletSignature[]; keyId: string; nextPageToken?: string }>;
  getSignature(caller: Caller, walletId: string, signatureId: string): Promise<WalletSignature>;
}

export function createWalletService(parts: {
  database: Database;
  authority: Authority;
  actions: Actions;
  keys: KeyService;
  signatures: SignatureService;
}): WalletService {
  const { database, authority, actions, keys, signatures } = parts;
  const find = store.walletFinder(database);

  async function requireWallet(caller: Caller, walletId: string): Promise<store.WalletRow> {
    const wallet = await find(walletId);
    if (wallet !== undefined && isVisible(caller, wallet)) return wallet;
    throw new Refusal('NotFound', 'Wallet', { details: { walletId, orgId: caller.organisationId } });
  }

  /** The answer to a creation whose externalId is bound: nothing more is made. The key of the first may still be in the making. */
  async function repeat(context: Context, externalId: string, { entityId, bodyHash }: Binding): Promise<Wallet> {
    for (let waitedMs = 0; waitedMs < keyWithinMs && (await find(entityId)) === undefined; waitedMs += pollMs) await pause(pollMs);
    return actions.perform(context, async (tx) => {
      const isSame = bodyHash === bodyHashOf(actionOf(context).body);
      if (!isSame) throw externalIdConflict('wallet', { id: entityId, externalId });
      const [wallet] = await store.findWallets(tx, [entityId]);
      if (wallet === undefined) throw new Refusal('Unavailable', 'the wallet of this externalId has no key yet; ask again later');
      return shown(wallet);
    });
  }

  async function rename(tx: Query, context: Context, wallet: store.WalletRow, change: UpdateWallet): Promise<Wallet> {
    const { externalId } = change;
    if (typeof externalId === 'string' && externalId !== wallet.externalId) {
      const { organisationId } = context.caller;
      const bound = await claimExternalId(tx, { organisationId, path, externalId, entityId: wallet.id, bodyHash: null });
      if (bound !== undefined && bound.entityId !== wallet.id) throw externalIdConflict('wallet', { id: bound.entityId, externalId });
    }
    await store.updateWallet(tx, wallet.id, change);
    return shown({
      ...wallet,
      name: change.name === undefined ? wallet.name : change.name,
      externalId: externalId === undefined ? wallet.externalId : externalId,
    });
  }

  return {
    async create(context, { externalId }) {
      const { organisationId } = context.caller;
      const asked = await authority.inTurn(async (perform) => {
        const bound = externalId === undefined ? undefined : await findExternalId(database, { organisationId, path, externalId });
        return bound === undefined ? { performed: await perform(context) } : { bound };
      });
      if (asked.performed === undefined) return repeat(context, externalId ?? '', asked.bound);
      await keys.make(context, asked.performed);
      return shown(await requireWallet(context.caller, made(asked.performed, 'wallet').id));
    },

    async list(caller, query) {
      const { organisationId } = caller;
      const delegatedTo = ownKeysOnly(caller);
      const { owner = null, ownerId = null, ownerUsername = null } = query;
      const filter = { organisationId, delegatedTo, owner, ownerId, ownerUsername };
      const of = { list: 'wallets', ...filter };
      const rows = await store.listWallets(database, filter, pageStart(query, of));
      const { rows: page, ...rest } = pageEnd(rows, query, of, ({ dateCreated, id }) => ({ date: dateCreated, id }));
      return { items: await Promise.all(page.map(shown)), ...rest };
    },

    get: async (caller, walletId) => shown(await requireWallet(caller, walletId)),

    async update(context, walletId, change) {
      const wallet = await requireWallet(context.caller, walletId);
      const work = () => actions.perform(context, (tx) => rename(tx, context, wallet, change));
      // A creation that found the externalId free must find it free until it is made.
      return typeof change.externalId === 'string' ? authority.inTurn(work) : work();
    },

    async tag(context, walletId, tags) {
      await requireWallet(context.caller, walletId);
      await actions.perform(context, async (tx) => {
        if (!(await store.addTags(tx, walletId, tags, maxTags))) throw new Refusal('BadRequest', `a wallet may have ${maxTags} tags`);
      });
      return {};
    },

    async untag(context, walletId, tags) {
      await requireWallet(context.caller, walletId);
      await actions.perform(context, (tx) => store.removeTags(tx, walletId, tags));
      return {};
    },

    async export(context, walletId, wanted) {
      const { keyId } = await requireWallet(context.caller, walletId);
      return keys.export(context, keyId, wanted);
    },

    async delegate(context, walletId) {
      const { keyId } = await requireWallet(context.caller, walletId);
      const { status } = await keys.delegate(context, keyId);
      return { walletId, status };
    },

    async sign(context, walletId, body) {
      const { id, keyId, network } = await requireWallet(context.caller, walletId);
      return { ...(await signatures.create(context, { keyId, wallet: { id, network } }, body)), walletId, network };
    },

    async listSignatures(caller, walletId, query) {
      const { keyId, network } = await requireWallet(caller, walletId);
      const { items, ...rest } = await signatures.list(caller, { keyId, walletId }, query);
      return { items: items.map((item) => ({ ...item, walletId, network })), ...rest };
    },

    async getSignature(caller, walletId, signatureId) {
      const { keyId, network } = await requireWallet(caller, walletId);
      return { ...(await signatures.get(caller, { keyId, walletId }, signatureId)), walletId, network };
    },
  };
}

async function shown(row: store.WalletRow): Promise<Wallet> {
  const { id, network, keyId, keyType, publicKey, delegatedTo, dateDeleted } = row;
  const address = await addressOf({ keyType, publicKey }, network);
  return {
    id,
    network,
    ...(address === undefined ? {} : { address }),
    signingKey: { id: keyId, ...keyTypes[keyType], publicKey: toHex(publicKey), ...(delegatedTo === null ? {} : { delegatedTo }) },
    status: row.status,
    dateCreated: isoDate(row.dateCreated.getTime()),
    ...(dateDeleted === null ? {} : { dateDeleted: isoDate(dateDeleted.getTime()) }),
    ...(row.name === null ? {} : { name: row.name }),
    custodial: delegatedTo === null,
    ...(row.externalId === null ? {} : { externalId: row.externalId }),
    tags: [...row.tags],
  };
}
