/** What an error of the database means to the caller. @module */

import pg from 'pg';
import { Refusal } from '../base/errors.ts';

/**
 * SQLSTATE classes (PostgreSQL, appendix A) that say "not now" rather than "wrong": connection, resources (disk, memory, connections),
 * operator intervention (shutdown, still starting), system error (input and output).
 */
const outageClasses: ReadonlySet<string> = new Set(['08', '53', '57', '58']);

/** A standby that was promoted elsewhere, or a primary made read-only: the statement is right, the server is not the one to ask. */
const readOnly = '25006';

/** The error to throw: a `Refusal` Unavailable for outages, with the cause kept; any other error as it is. */
export function failureOf(error: unknown): unknown {
  return isOutage(error) ? new Refusal('Unavailable', 'the database is not available', { cause: error }) : error;
}

/**
 * Whether the database could not be reached or has failed. Besides what the server itself reports, these are the plain errors `pg` makes
 * of a lost connection or a timeout, and the system's own (ECONNREFUSED …).
 */
function isOutage(error: unknown): boolean {
  if (error instanceof pg.DatabaseError)
    return error.code !== undefined && (outageClasses.has(error.code.slice(0, 2)) || error.code === readOnly);
  return error instanceof Error && (error.constructor === Error || 'syscall' in error || error instanceof AggregateError);
}
