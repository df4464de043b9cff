/** The secrets of a signer that are one of a kind (its identity, its seeds, …): sealed at rest, bound to their name. @module */

import { utf8 } from '../base/bytes.ts';
import { seal, unseal } from '../crypto/seal.ts';
import type { SignerSnapshot, SignerStore } from './store.ts';

interface Secret {
  readonly name: string;
  /** Not kept: overwrite it after use. */
  readonly plain: Uint8Array;
}

/** Undefined if there is none. @throws {Error} if the key-encryption key is another */
export function readSecret(store: SignerSnapshot, keyEncryptionKey: Uint8Array, name: string): Uint8Array | undefined {
  const sealed = store.readSecret(name);
  if (sealed === undefined) return undefined;
  try {
    return unseal(keyEncryptionKey, sealed, secretBinding(name));
  } catch (cause) {
    throw new Error(`the ${name} in the signer's store is not sealed under this key-encryption key, or it was altered`, { cause });
  }
}

/** @returns false, writing nothing, if the name has a value */
export function addSecret(store: SignerStore, keyEncryptionKey: Uint8Array, { name, plain }: Secret): boolean {
  return store.addSecret(name, seal(keyEncryptionKey, plain, secretBinding(name)));
}

/** Replaces what was there; durable when it returns. */
export function putSecret(store: SignerStore, keyEncryptionKey: Uint8Array, { name, plain }: Secret): void {
  store.putSecret(name, seal(keyEncryptionKey, plain, secretBinding(name)));
}

/** What a sealed secret is bound to. */
export function secretBinding(name: string): Uint8Array {
  return utf8(`countersign/${name}/v1`);
}
