/**
 * The replicated seeds of this signer: sealed at rest, in memory while it runs, since every presignature draws on them.
 * They are named by the session that made them, so that signers can tell without a secret whether theirs belong together.
 * @module
 */

import { concat, toBase64, utf8 } from '../base/bytes.ts';
import { seal, unseal } from '../crypto/seal.ts';
import { decodeSeeds, encodeSeeds, type Seeds } from '../mpc/prss.ts';
import { SignerRefusal } from './errors.ts';
import type { SignerStore } from './store.ts';

export interface SeedStore {
  /** base64 of the session that made them; empty before the first set-up. */
  readonly name: string;
  /** @throws {SignerRefusal} before the first set-up */
  current(): Seeds;
  /** Durable when it returns. */
  replace(sessionId: Uint8Array, seeds: Seeds): void;
}

const secretName = 'seeds';
const additionalData = utf8('countersign/seeds/v1');

export function sealedSeeds({ store, keyEncryptionKey }: { store: SignerStore; keyEncryptionKey: Uint8Array }): SeedStore {
  const sealed = store.readSecret(secretName);
  let held = sealed === undefined ? undefined : decode(unseal(keyEncryptionKey, sealed, additionalData));
  return {
    get name() {
      return held?.name ?? '';
    },
    current() {
      if (held === undefined) throw new SignerRefusal('Refused', 'the cluster has not set up its seeds yet');
      return held.seeds;
    },
    replace(sessionId, seeds) {
      const plain = concat(sessionId, encodeSeeds(seeds));
      store.putSecret(secretName, seal(keyEncryptionKey, plain, additionalData));
      plain.fill(0);
      held = { name: toBase64(sessionId), seeds };
    },
  };
}

function decode(plain: Uint8Array): { name: string; seeds: Seeds } {
  return { name: toBase64(plain.subarray(0, 32)), seeds: decodeSeeds(plain.slice(32)) };
}
