import { randomBytes } from 'node:crypto';
import { hasIdentity, newIdentity, publicSignerOf, storeIdentity } from '../identity.ts';
import { openSignerStore } from '../store.ts';
import { hasKeyFile, keyBytes, keyFileOf, promoteNextKeyFile, readKeyFile, writeNextKeyFile } from './keyFile.ts';
import { wrap } from './open.ts';
import type { KeyEncryptionSettings } from './settings.ts';

/**
 * Gives a new signer its key-encryption key and its identity, or finds that it has them. Interrupted anywhere, it is taken up again: the
 * key is durable before the identity is, and counts once the identity is sealed under it.
 * @throws {Error} if its store is gone, or the provider does not wrap
 */
export async function ensureIdentity(dataDir: string, settings: KeyEncryptionSettings): Promise<void> {
  const store = openSignerStore(dataDir);
  try {
    if (hasIdentity(store)) return;
    const identity = newIdentity();
    const { signerId } = publicSignerOf(identity);
    if (hasKeyFile(dataDir)) {
      const stored = readKeyFile(dataDir);
      if (stored.provider !== 'file')
        throw new Error(`${keyFileOf(dataDir)} is of signer ${stored.binding.signerId}, whose store is gone: restore it from a backup`);
      storeIdentity(store, stored.key, identity);
      return;
    }
    const key = new Uint8Array(randomBytes(keyBytes));
    const binding = { clusterId: '', signerId, generation: 1 };
    writeNextKeyFile(dataDir, await wrap(key, { provider: settings.provider, binding, settings }));
    storeIdentity(store, key, identity);
    promoteNextKeyFile(dataDir);
    key.fill(0);
  } finally {
    store.close();
  }
}
