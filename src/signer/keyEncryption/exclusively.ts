import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { holdLock } from '../../lock.ts';

/** Whoever holds it is done within this time, or something is wrong. */
const lockWithinMs = 30_000;

/** One at a time of those that read or change the key beside a running signer. */
export function exclusively(dataDir: string): Disposable {
  if (!existsSync(dataDir)) throw new Error(`${dataDir} is missing: there is no signer`);
  const lock = holdLock(join(dataDir, 'key-encryption.lock'), lockWithinMs);
  return { [Symbol.dispose]: () => lock.release() };
}
