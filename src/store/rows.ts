/**
 * Rows as the parameters of one statement: `unnest($1::text[], $2::text[])` gives them back, in order.
 * @module
 */

/** One array for each column named, in that order. */
export function columnsOf<R, const K extends readonly (keyof R)[]>(rows: readonly R[], names: K): R[K[number]][][] {
  return names.map((name) => rows.map((row) => row[name]));
}
