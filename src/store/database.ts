/**
 * The database as the rest sees it: SQL text with `$1` parameters, the same text on PostgreSQL and on the embedded PGlite.
 *
 * Types on the way out, on both: `timestamptz` -> Date, `bigint` -> number (all ours stay below 2^53), `bytea` -> Uint8Array,
 * `json`/`jsonb` -> parsed, `text[]` -> string[]. Arrays go in as JavaScript arrays, with a cast in the SQL: `any($1::text[])`; rows as
 * JSON (`rows.ts`).
 * @module
 */

export type Row = Record<string, unknown>;

export interface Query {
  /**
   * Runs one statement; outside `transaction` it is its own database transaction, and durable when the promise resolves.
   * Statements are prepared once a connection under a name derived from their text, so the text must not vary with the values.
   * A JavaScript array becomes a PostgreSQL array: one meant as JSON is passed as its text.
   * @throws {Refusal} Unavailable when the database cannot be reached or has failed: whether the statement took effect is then unknown
   */
  query<R extends Row = Row>(sql: string, params?: readonly unknown[]): Promise<R[]>;
  /** Runs several statements without parameters, unprepared: for migrations. Outside `transaction` they form one of their own. */
  script(sql: string): Promise<void>;
}

export interface Database extends Query {
  readonly kind: 'postgres' | 'pglite';
  /**
   * One database transaction (read committed): committed and durable when the promise resolves, rolled back when `work` throws. On PGlite
   * it has the database to itself. `work` must use `tx` alone, and only until it resolves; it is given a bounded time.
   */
  transaction<T>(work: (tx: Query) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
