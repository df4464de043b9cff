/**
 * Changes how a signer's key-encryption key is kept. `rewrap` leaves the key as it is: the signer goes on running, nothing it keeps is
 * touched. `rotate` makes another key and seals everything anew under it, while the signer is stopped.
 *
 * A rotation can end anywhere: the next key is durable before anything is sealed under it, the store is sealed anew in one commit, and a
 * start that finds two keys takes the one that opens the store (`open.ts`).
 * @module
 */

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seal, unseal } from '../../crypto/seal.ts';
import { clusterFile, pinnedClusterFile } from '../contract.ts';
import { publicSignerOf, readIdentity } from '../identity.ts';
import { secretBinding } from '../secrets.ts';
import { shareBinding } from '../shares.ts';
import { openSignerStore, readSignerStore, type SignerSnapshot } from '../store.ts';
import { exclusively } from './exclusively.ts';
import {
  hasNextKeyFile,
  isWrapped,
  keyBytes,
  keyFileOf,
  promoteNextKeyFile,
  readKeyFile,
  type StoredKey,
  writeKeyFile,
  writeNextKeyFile,
} from './keyFile.ts';
import { openKeyEncryptionKey, unwrap, wrap } from './open.ts';
import type { Binding } from './provider.ts';
import type { KeyEncryptionSettings, ProviderName } from './settings.ts';

export interface Rewrap {
  readonly dataDir: string;
  /** The one it has, when left out. */
  readonly to: ProviderName | undefined;
  readonly settings: KeyEncryptionSettings;
}

/** @returns from which provider to which @throws {Error} leaving all as it was */
export async function rewrap({ dataDir, to, settings }: Rewrap): Promise<{ from: ProviderName; to: ProviderName }> {
  using _ = exclusively(dataDir);
  if (hasNextKeyFile(dataDir)) throw new Error('a change of the key was interrupted: start the signer once, so that it is settled');
  const stored = readKeyFile(dataDir);
  const key = await unwrap(stored, settings, keyFileOf(dataDir));
  const provider = to ?? stored.provider;
  const store = readSignerStore(dataDir);
  try {
    const binding = bindingOf(dataDir, store, key, generationOf(stored));
    writeKeyFile(dataDir, await wrap(key, { provider, binding, settings: forNext(settings) }));
    return { from: stored.provider, to: provider };
  } finally {
    key.fill(0);
    store.close();
  }
}

/** @returns from which provider to which @throws {Error} if the signer runs; leaving a state that the next start settles */
export async function rotate({ dataDir, to, settings }: Rewrap): Promise<{ from: ProviderName; to: ProviderName }> {
  using _ = exclusively(dataDir);
  const key = await openKeyEncryptionKey(dataDir, settings);
  const stored = readKeyFile(dataDir);
  const provider = to ?? stored.provider;
  const next = new Uint8Array(randomBytes(keyBytes));
  const store = openSignerStore(dataDir);
  try {
    const binding = bindingOf(dataDir, store, key, generationOf(stored) + 1);
    writeNextKeyFile(dataDir, await wrap(next, { provider, binding, settings: forNext(settings) }));
    const anew = (sealed: Uint8Array, aad: Uint8Array): Uint8Array => {
      const plain = unseal(key, sealed, aad);
      try {
        return seal(next, plain, aad);
      } finally {
        plain.fill(0);
      }
    };
    store.reseal({
      secret: ({ name, sealed }) => anew(sealed, secretBinding(name)),
      share: (share) => anew(share.sealed, shareBinding(binding.signerId, share)),
    });
    promoteNextKeyFile(dataDir);
    return { from: stored.provider, to: provider };
  } finally {
    for (const secret of [key, next]) secret.fill(0);
    store.close();
  }
}

/** Read with the key, so that a key that does not open the store is never wrapped. */
function bindingOf(dataDir: string, store: SignerSnapshot, key: Uint8Array, generation: number): Binding {
  const { signerId } = publicSignerOf(readIdentity(store, key));
  const file = join(dataDir, pinnedClusterFile);
  const clusterId = existsSync(file) ? clusterFile.parse(JSON.parse(readFileSync(file, 'utf8'))).clusterId : '';
  return { clusterId, signerId, generation };
}

/** A key that was kept as it is has not counted: there was one. */
function generationOf(stored: StoredKey): number {
  return isWrapped(stored) ? stored.binding.generation : 1;
}

/** From one passphrase to another there are two of them; else the one there is serves. */
function forNext(settings: KeyEncryptionSettings): KeyEncryptionSettings {
  return { ...settings, passphrase: settings.newPassphrase ?? settings.passphrase };
}
