/**
 * The replicated seeds of this signer: sealed at rest, in memory while it runs, since every presignature draws on them.
 * They are named by the session that made them, so that signers can tell without a secret whether theirs belong together.
 * @module
 */

import { concat, toBase64 } from '../base/bytes.ts';
import { decodeSeeds, encodeSeeds, type Seeds } from '../mpc/prss.ts';
import { SignerRefusal } from './errors.ts';
import { putSecret, readSecret } from './secrets.ts';
import type { SignerStore } from './store.ts';
import type { Holders } from './succession.ts';

export interface SeedStore {
  /** base64 of the session that made them; empty where there are none for these signers. */
  nameFor(holders: Pick<Holders, 'threshold' | 'participants'>): string;
  /** @throws {SignerRefusal} before the first set-up */
  current(): Seeds;
  /** Durable when it returns. */
  replace(sessionId: Uint8Array, seeds: Seeds): void;
}

const secretName = 'seeds';

export function sealedSeeds({ store, keyEncryptionKey }: { store: SignerStore; keyEncryptionKey: Uint8Array }): SeedStore {
  const stored = readSecret(store, keyEncryptionKey, secretName);
  let held = stored && decode(stored);
  return {
    nameFor({ threshold, participants }) {
      const areTheirs = held?.seeds.threshold === threshold && held.seeds.participants.join() === participants.join();
      return held !== undefined && areTheirs ? held.name : '';
    },
    current() {
      if (held === undefined) throw new SignerRefusal('Refused', 'the cluster has not set up its seeds yet');
      return held.seeds;
    },
    replace(sessionId, seeds) {
      const plain = concat(sessionId, encodeSeeds(seeds));
      putSecret(store, keyEncryptionKey, { name: secretName, plain });
      plain.fill(0);
      held = { name: toBase64(sessionId), seeds };
    },
  };
}

function decode(plain: Uint8Array): { name: string; seeds: Seeds } {
  return { name: toBase64(plain.subarray(0, 32)), seeds: decodeSeeds(plain.slice(32)) };
}
