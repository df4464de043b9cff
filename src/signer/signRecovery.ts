/**
 * An operator's part in a recovery (`authority/recovery.ts`): this signer's signature over the new credential of the root, at the head of
 * this signer's own log. Offline: the signer must not be running.
 * @module
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Head } from '../authority/head.ts';
import { type RecoveryTerms, recoveryMessage } from '../authority/recovery.ts';
import { toBase64Url } from '../base/bytes.ts';
import { importCredentialKey } from '../crypto/assertions.ts';
import { clusterFile, pinnedClusterFile, rootOf } from './contract.ts';
import { publicSignerOf, readIdentity, signatureBy } from './identity.ts';
import { openInstance } from './instance.ts';
import { openKeyEncryptionKey } from './keyEncryption/open.ts';
import type { KeyEncryptionSettings } from './keyEncryption/settings.ts';
import { openLedger } from './ledger.ts';
import { openSignerStore } from './store.ts';
import { hasReturned } from './witness.ts';

export interface RecoveryPart {
  readonly signerId: string;
  /** base64url. */
  readonly signature: string;
  /** Of this signer's log: all parts of a recovery must name the same. */
  readonly head: Head;
}

/** @throws {Error} when the signer runs, its store is not what it was, or the new credential is not accepted */
export async function signRecovery({
  dataDir,
  settings,
  terms,
}: {
  dataDir: string;
  settings: KeyEncryptionSettings;
  terms: RecoveryTerms;
}): Promise<RecoveryPart> {
  importCredentialKey(terms.publicKey);
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
    const message = recoveryMessage(root.clusterId, registry.head, terms);
    return { signerId, signature: toBase64Url(sign(message)), head: registry.head };
  } finally {
    store.close();
  }
}
