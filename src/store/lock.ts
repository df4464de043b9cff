/**
 * One process at a time in a data directory. The lock is the kernel's (a file lock, held by an exclusive SQLite transaction on an empty
 * database), so that it ends with its holder, however that ends.
 * @module
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../base/errors.ts';

export interface DirectoryLock {
  release(): void;
}

/** Held here as well, because a connection that is collected as garbage is closed, and its lock gone. */
const held = new Set<DatabaseSync>();

/** SQLite's result codes: another connection holds the lock. */
const busy = 5;

/**
 * @param directory made if it is missing, for its owner alone
 * @throws {Error} when another process has it (its pid is named), or the directory cannot be written
 */
export function lockDirectory(directory: string): DirectoryLock {
  const pidFile = join(directory, 'lock.pid');
  const connection = lockedConnection(directory, pidFile);
  held.add(connection);
  writeFileSync(pidFile, `${process.pid}\n`);
  return {
    release() {
      if (held.delete(connection)) connection.close();
    },
  };
}

function lockedConnection(directory: string, pidFile: string): DatabaseSync {
  let connection: DatabaseSync | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    connection = new DatabaseSync(join(directory, 'lock'), { timeout: 0 });
    connection.exec('begin exclusive');
    return connection;
  } catch (error) {
    connection?.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === busy) {
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
