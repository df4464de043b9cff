/**
 * Rows as the one parameter of a statement: `json_to_recordset($1::json) as row ("keyId" text, …)` gives them back, in order.
 * @module
 */

/** JSON text. Dates become their ISO texts; what is undefined comes out null. */
export function rowsParameter(rows: readonly object[]): string {
  const text = JSON.stringify(rows);
  return loneSurrogate.test(text) ? JSON.stringify(rows, wellFormed) : text;
}

/** JavaScript and JSON can say half of a surrogate pair. PostgreSQL cannot: it would refuse the statement, for all who share it. */
const loneSurrogate = /\\ud[89a-f]/;

function wellFormed(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value;
}
