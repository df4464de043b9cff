/**
 * The key-encryption key of a signer: 32 random bytes that seal all it keeps. At rest it stands in a file of its own, as it is or wrapped by
 * a provider. Whatever goes wrong, the signer does not start.
 * @module
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterFile, pinnedClusterFile } from '../contract.ts';
import { readIdentity } from '../identity.ts';
import { openSignerStore, type SignerSnapshot } from '../store.ts';
import {
  dropNextKeyFile,
  hasKeyFile,
  hasNextKeyFile,
  isWrapped,
  keyBytes,
  keyFileOf,
  promoteNextKeyFile,
  readKeyFile,
  readNextKeyFile,
  type StoredKey,
} from './keyFile.ts';
import { type Binding, providerOf } from './provider.ts';
import type { KeyEncryptionSettings, ProviderName } from './settings.ts';

/** @throws {Error} when it is missing, or its provider does not unwrap it: with what the operator must set right */
export async function openKeyEncryptionKey(dataDir: string, settings: KeyEncryptionSettings): Promise<Uint8Array> {
  if (hasNextKeyFile(dataDir)) return settle(dataDir, settings);
  const stored = readKeyFile(dataDir);
  requireCluster(dataDir, stored);
  return unwrap(stored, settings, keyFileOf(dataDir));
}

export async function unwrap(stored: StoredKey, settings: KeyEncryptionSettings, path: string): Promise<Uint8Array> {
  if (!isWrapped(stored)) return stored.key;
  const { provider, binding, wrapping } = stored;
  try {
    const key = await (await providerOf(provider, settings)).unwrap(wrapping, binding);
    if (key.length !== keyBytes) throw new Error(`what was wrapped has ${key.length} bytes, not ${keyBytes}`);
    return key;
  } catch (cause) {
    throw new Error(`the key-encryption key in ${path} was not unwrapped by ${provider}`, { cause });
  }
}

/** Tried before it is trusted: what the provider has wrapped, it must unwrap. */
export async function wrap(
  key: Uint8Array,
  { provider, binding, settings }: { provider: ProviderName; binding: Binding; settings: KeyEncryptionSettings },
): Promise<StoredKey> {
  if (provider === 'file') return { provider, key };
  try {
    const asked = await providerOf(provider, settings);
    const wrapping = await asked.wrap(key, binding);
    const again = await asked.unwrap(wrapping, binding);
    if (!Buffer.from(again).equals(key)) throw new Error('it gives back another key than it was given');
    again.fill(0);
    return { provider, binding, wrapping };
  } catch (cause) {
    throw new Error(`the key-encryption key was not wrapped by ${provider}`, { cause });
  }
}

/**
 * A signer was interrupted while it was made, or its key changed: two keys stand side by side, and the store was sealed anew in one
 * commit. So one of them opens it; the other goes.
 */
async function settle(dataDir: string, settings: KeyEncryptionSettings): Promise<Uint8Array> {
  const store = openSignerStore(dataDir);
  try {
    const key = hasKeyFile(dataDir) ? await unwrapped(readKeyFile(dataDir), settings) : undefined;
    if (key !== undefined && opens(store, key)) {
      dropNextKeyFile(dataDir);
      return key;
    }
    const next = await unwrap(readNextKeyFile(dataDir), settings, `${keyFileOf(dataDir)}.next`);
    readIdentity(store, next);
    promoteNextKeyFile(dataDir);
    return next;
  } finally {
    store.close();
  }
}

/** Undefined where it cannot be had: the passphrase may be the next key's already. */
function unwrapped(stored: StoredKey, settings: KeyEncryptionSettings): Promise<Uint8Array | undefined> {
  return unwrap(stored, settings, '').catch(() => undefined);
}

function opens(store: SignerSnapshot, key: Uint8Array): boolean {
  try {
    readIdentity(store, key);
    return true;
  } catch {
    return false;
  }
}

/** @throws {Error} if the key was wrapped for a signer of another cluster than the pinned one */
function requireCluster(dataDir: string, stored: StoredKey): void {
  const file = join(dataDir, pinnedClusterFile);
  if (!isWrapped(stored) || stored.binding.clusterId === '' || !existsSync(file)) return;
  const { clusterId } = clusterFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  if (clusterId !== stored.binding.clusterId) {
    throw new Error(`${keyFileOf(dataDir)} was wrapped for a signer of cluster ${stored.binding.clusterId}, ${file} is of ${clusterId}`);
  }
}
