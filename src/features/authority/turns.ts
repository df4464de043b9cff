/**
 * Changes of the authority log follow one another: in this process, and over all replicas on the database.
 * @module
 */

import { Refusal } from '../../base/errors.ts';
import type { Database } from '../../store/database.ts';

/** PostgreSQL's advisory locks are named by numbers: any, but the same in every replica. */
const turnLock = 7_236_114_023;
/** How long other replicas are waited for. Below the time that a transaction gets (`store/session.ts`), of which the rest is for the work. */
const lockTimeoutMs = 10_000;
const maxWaiting = 1_000;
/** SQLSTATE lock_not_available. */
const lockNotAvailable = '55P03';

export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** Each `work` has a turn of its own. @throws {Refusal} Unavailable when too many wait, or for too long */
export function createTurns(database: Database): Turns {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  return async (work) => {
    if (waiting >= maxWaiting) throw new Refusal('Unavailable', 'too many changes of who may do what wait for their turn');
    waiting += 1;
    const before = last;
    let working: Promise<unknown> = Promise.resolve();
    const turn = before.then(() => {
      waiting -= 1;
      return alone(database, () => {
        const begun = work();
        working = begun;
        return begun;
      });
    });
    // The lock may be lost before its work is done; then this process still waits for that.
    last = turn.then(ignored, ignored).then(() => working.then(ignored, ignored));
    return turn;
  };
}

/** The embedded database has this one process. On PostgreSQL the lock ends with its transaction, so it outlives no replica. */
async function alone<T>(database: Database, work: () => Promise<T>): Promise<T> {
  if (database.kind === 'pglite') return work();
  return database.transaction(async (tx) => {
    await tx.query(`select set_config('lock_timeout', $1, true)`, [`${lockTimeoutMs}ms`]);
    await tx.query('select pg_advisory_xact_lock($1)', [turnLock]).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === lockNotAvailable)) throw error;
      throw new Refusal('Unavailable', 'other changes of who may do what take too long', { cause: error });
    });
    return work();
  });
}

function ignored(): void {}
