/**
 * A lock that is the kernel's (a file lock, held by an exclusive SQLite transaction on an empty database), so that it ends with its holder,
 * however that ends.
 * @module
 */

import { DatabaseSync } from 'node:sqlite';

export interface Lock {
  release(): void;
}

/** Another process has the lock. */
export class Locked extends Error {
  override readonly name = 'Locked';
}

/** Held here as well, because a connection that is collected as garbage is closed, and its lock gone. */
const held = new Set<DatabaseSync>();

/** SQLite's result codes: another connection holds the lock. */
const busy = 5;

/**
 * @param file made if it is missing, never removed
 * @param waitMs how long its holder has to let go of it
 * @throws {Locked} when it does not
 */
export function holdLock(file: string, waitMs: number): Lock {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(file, { timeout: waitMs });
    connection.exec('begin exclusive');
  } catch (cause) {
    connection?.close();
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === busy) throw new Locked(`${file} is locked`, { cause });
    throw cause;
  }
  held.add(connection);
  return {
    release() {
      if (held.delete(connection)) connection.close();
    },
  };
}
