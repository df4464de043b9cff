import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { holdLock, type Lock } from '../../lock.ts';

/** Whoever holds it is done within this time, or something is wrong. */
const lockWithinMs = 30_000;

/** One at a time of those that read or change the key beside a running signer. */
export function exclusively(dataDir: string): Disposable {
  if (!existsSync(dataDir)) throw new Error(`${dataDir} is missing: there is no signer`);
  const lock = lockIn(dataDir);
  return { [Symbol.dispose]: () => lock.release() };
}

function lockIn(dataDir: string): Lock {
  try {
    return holdLock(join(dataDir, 'key-encryption.lock'), lockWithinMs);
  } catch (cause) {
    throw new Error(`another command (a backup, a rewrap) is at work in ${dataDir}`, { cause });
  }
}
