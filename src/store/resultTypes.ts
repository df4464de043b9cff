/**
 * PostgreSQL types as JavaScript values, the same for both databases (see database.ts). What is not listed keeps the way of `pg`: text,
 * boolean, int2 and int4, float8, json and jsonb parsed, timestamptz as Date, arrays of these; numeric as text.
 * @module
 */

import pg from 'pg';

const { builtins, getTypeParser } = pg.types;

/** The object ids of array types, from PostgreSQL's pg_type.dat. */
const arrays = { bytea: 1001, text: 1009, int8: 1016 };

const parsers = new Map<number, (text: string) => unknown>([
  [builtins.INT8, Number],
  [builtins.BYTEA, bytesOf],
  [arrays.int8, (text) => elementsOf(text, Number)],
  [arrays.bytea, (text) => elementsOf(text, bytesOf)],
]);

export const resultTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => parsers.get(oid) ?? getTypeParser(oid, format),
};

/** From the text form `\x…`. A plain array of bytes, where `pg` would give a Buffer. */
function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'));
}

function elementsOf<T>(text: string, parse: (element: string) => T): (T | null)[] {
  const elements: (string | null)[] = getTypeParser(arrays.text)(text);
  return elements.map((element) => (element === null ? null : parse(element)));
}
