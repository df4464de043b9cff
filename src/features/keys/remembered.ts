/**
 * What of a key never changes once it is made, remembered, because every signature asks for it. What does change is not here: whether the
 * key is still active, the statement that begins a signature request asks the database.
 * @module
 */

import type { FoundKey } from './store.ts';

export type SigningKey = Pick<FoundKey, 'id' | 'organisationId' | 'keyType' | 'publicKey' | 'verificationShares'>;

const maxRemembered = 10_000;

export interface RememberedKeys {
  get(keyId: string): SigningKey | undefined;
  add(key: SigningKey): void;
}

/** The oldest give way to new ones. */
export function rememberedKeys(): RememberedKeys {
  const keys = new Map<string, SigningKey>();
  return {
    get: (keyId) => keys.get(keyId),
    add({ id, organisationId, keyType, publicKey, verificationShares }) {
      keys.set(id, { id, organisationId, keyType, publicKey, verificationShares });
      const [oldest] = keys.keys();
      if (keys.size > maxRemembered && oldest !== undefined) keys.delete(oldest);
    },
  };
}
