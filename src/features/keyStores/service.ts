/** Key stores of an organisation, and the signers behind them. @module */

import type { Takeover } from '../../authority/takeover.ts';
import { toHex } from '../../base/bytes.ts';
import type { Coordinator } from '../../coordinator/coordinator.ts';
import type { Database } from '../../store/database.ts';
import type { Caller } from '../access/caller.ts';
import type { Context } from '../access/context.ts';
import type { Authority } from '../authority/service.ts';
import { type KeyStoreRow, listKeyStores } from './store.ts';

interface ListedSigner {
  signerId: string;
  encryptionKey: string;
  /** Of those that answer. */
  head?: { sequence: number; hash: string; at: number; signature: string };
}

export interface KeyStoreService {
  listSigners(): Promise<{ clusters: { clusterId: string; signers: ListedSigner[] }[] }>;
  takeOver(context: Context, takeover: Takeover): Promise<Takeover>;
  list(caller: Caller): Promise<{ items: { id: string; kind: KeyStoreRow['kind']; name: string; primary: boolean }[] }>;
}

export function createKeyStoreService({
  database,
  authority,
  coordinator,
}: {
  database: Database;
  authority: Authority;
  coordinator: Coordinator;
}): KeyStoreService {
  return {
    async listSigners() {
      const { clusterId, signers } = coordinator.cluster;
      const heads = new Map((await coordinator.heads()).map((head) => [head.signerId, head]));
      const listed = [...signers].sort((a, b) => Buffer.compare(idBytes(a), idBytes(b)));
      return {
        clusters: [
          {
            clusterId,
            signers: listed.map(({ signerId, encryptionKey }) => {
              const head = heads.get(signerId);
              if (head === undefined) return { signerId, encryptionKey };
              const { sequence, hash, at, signature } = head;
              return { signerId, encryptionKey, head: { sequence, hash: toHex(hash), at, signature } };
            }),
          },
        ],
      };
    },

    async takeOver(context, takeover) {
      await authority.perform(context);
      return takeover;
    },

    async list({ organisationId }) {
      const rows = await listKeyStores(database, organisationId);
      return { items: rows.map(({ id, kind, name, primary }) => ({ id, kind, name, primary })) };
    },
  };
}

function idBytes({ signerId }: { signerId: string }): Buffer {
  return Buffer.from(signerId, 'base64');
}
