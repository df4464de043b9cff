/** One process at a time in a data directory. @module */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../base/errors.ts';
import { holdLock, type Lock, Locked } from '../lock.ts';

/**
 * @param directory made if it is missing, for its owner alone
 * @throws {Error} when another process has it (its pid is named), or the directory cannot be written
 */
export function lockDirectory(directory: string): Lock {
  const pidFile = join(directory, 'lock.pid');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const lock = holdLock(join(directory, 'lock'), 0);
    writeFileSync(pidFile, `${process.pid}\n`);
    return lock;
  } catch (error) {
    if (error instanceof Locked) {
      throw new Error(`${directory} is in use by another process${holderOf(pidFile)}: stop that one first, or choose another directory`);
    }
    throw new Error(`${directory} cannot be used as a data directory: ${messageOf(error)}`, { cause: error });
  }
}

/** The pid is in a file of its own: the lock file cannot be read while it is locked, and closing it would end a lock of this process. */
function holderOf(pidFile: string): string {
  try {
    return ` (pid ${readFileSync(pidFile, 'utf8').trim()})`;
  } catch {
    return '';
  }
}
