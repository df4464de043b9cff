/**
 * What the operator of a signer does offline, beside it: signs with its identity key what operators decide together. The signer must not be
 * running.
 * @module
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OperatorSignature } from '../authority/operators.ts';
import type { Registry } from '../authority/registry.ts';
import { toBase64Url } from '../base/bytes.ts';
import { clusterFile, pinnedClusterFile, rootOf } from './contract.ts';
import { publicSignerOf, readIdentity, signatureBy } from './identity.ts';
import { openInstance } from './instance.ts';
import { openKeyEncryptionKey } from './keyEncryption/open.ts';
import type { KeyEncryptionSettings } from './keyEncryption/settings.ts';
import { openLedger } from './ledger.ts';
import { openSignerStore } from './store.ts';
import { hasReturned } from './witness.ts';

export interface OperatorPlace {
  readonly dataDir: string;
  readonly settings: KeyEncryptionSettings;
}

/**
 * @param messageFor from the registry of this signer's own log, verified
 * @throws {Error} when the signer runs, its store is not what it was, or it may have forgotten what it said
 */
export async function signAsOperator<T extends { readonly message: Uint8Array }>(
  { dataDir, settings }: OperatorPlace,
  messageFor: (registry: Registry) => T,
): Promise<T & OperatorSignature> {
  const keyEncryptionKey = await openKeyEncryptionKey(dataDir, settings);
  const store = openSignerStore(dataDir);
  try {
    const secrets = readIdentity(store, keyEncryptionKey);
    const { signerId } = publicSignerOf(secrets);
    const root = rootOf(clusterFile.parse(JSON.parse(readFileSync(join(dataDir, pinnedClusterFile), 'utf8'))));
    const sign = signatureBy(secrets);
    openInstance({ store, keyEncryptionKey, signerId, onReplaced: () => undefined }); // the one that acts
    if (hasReturned(store, keyEncryptionKey))
      throw new Error('this signer came back from a backup, and no others have witnessed yet that its log is complete');
    const { registry } = openLedger({
      root,
      signerId,
      sign,
      store,
      onDistrust: () => undefined, // then the whole log is verified
      onFault(fault) {
        throw fault;
      },
    });
    const made = messageFor(registry);
    return { ...made, signerId, signature: toBase64Url(sign(made.message)) };
  } finally {
    store.close();
  }
}
