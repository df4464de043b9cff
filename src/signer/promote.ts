/** A standby becomes the acting instance of its signer: what its operator does on its host, before the takeover is asked for. @module */

import type { Clock } from '../base/clock.ts';
import { publicSignerOf, readIdentity } from './identity.ts';
import { readInstance, writeInstance } from './instance.ts';
import { openKeyEncryptionKey } from './keyEncryption/open.ts';
import type { KeyEncryptionSettings } from './keyEncryption/settings.ts';
import { openSignerStore } from './store.ts';
import { markReturned } from './witness.ts';

/**
 * From then on the directory is a signer's that has come back: it waits for its takeover in the log, and for others to witness it.
 * @returns what the takeover must say; asked again, the same
 * @throws {Error} when it is no standby, or follows still
 */
export async function promoteStandby({
  dataDir,
  settings,
  clock,
}: {
  dataDir: string;
  settings: KeyEncryptionSettings;
  clock: Clock;
}): Promise<{ readonly signerId: string; readonly instance: number }> {
  const keyEncryptionKey = await openKeyEncryptionKey(dataDir, settings);
  const store = openSignerStore(dataDir);
  try {
    const { signerId } = publicSignerOf(readIdentity(store, keyEncryptionKey));
    const was = readInstance(store, keyEncryptionKey);
    if (was.kind === 'acting' && was.number > 0) return { signerId, instance: was.number };
    if (was.kind !== 'standby') throw new Error(`${dataDir} is not a standby's: \`signer restore --standby\` makes one`);
    const instance = Math.floor(clock() / 1000); // greater than those before, by the clock of who promotes
    markReturned(store, keyEncryptionKey, instance);
    writeInstance(store, keyEncryptionKey, { kind: 'acting', number: instance });
    return { signerId, instance };
  } finally {
    store.close();
    keyEncryptionKey.fill(0);
  }
}
