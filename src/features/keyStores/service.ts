/** Key stores of an organisation, and the signers behind them. @module */

import { assert, Refusal } from '../../base/errors.ts';
import type { Coordinator } from '../../coordinator/coordinator.ts';
import type { Database } from '../../store/database.ts';
import type { Caller } from '../access/caller.ts';
import { type KeyStoreRow, listKeyStores } from './store.ts';

export interface KeyStoreService {
  listSigners(): { clusters: { clusterId: string; signers: { signerId: string; encryptionKey: string }[] }[] };
  list(caller: Caller): Promise<{ items: { id: string; kind: KeyStoreRow['kind']; name: string; primary: boolean }[] }>;
  /** Where a new key goes. @throws {Refusal} BadRequest for a store that is not the organisation's */
  storeFor(caller: Caller, wantedId: string | undefined): Promise<KeyStoreRow>;
}

export function createKeyStoreService({ database, coordinator }: { database: Database; coordinator: Coordinator }): KeyStoreService {
  return {
    listSigners() {
      const { clusterId, signers } = coordinator.cluster;
      const listed = [...signers]
        .sort((a, b) => Buffer.compare(idBytes(a), idBytes(b)))
        .map(({ signerId, encryptionKey }) => ({ signerId, encryptionKey }));
      return { clusters: [{ clusterId, signers: listed }] };
    },

    async list({ organisationId }) {
      const rows = await listKeyStores(database, organisationId);
      return { items: rows.map(({ id, kind, name, primary }) => ({ id, kind, name, primary })) };
    },

    async storeFor({ organisationId }, wantedId) {
      const rows = await listKeyStores(database, organisationId);
      const store = wantedId === undefined ? rows.find(({ primary }) => primary) : rows.find(({ id }) => id === wantedId);
      if (store !== undefined) return store;
      assert(wantedId !== undefined, 'an organisation has a primary key store');
      throw new Refusal('BadRequest', 'storeId names no key store of this organisation');
    },
  };
}

function idBytes({ signerId }: { signerId: string }): Buffer {
  return Buffer.from(signerId, 'base64');
}
