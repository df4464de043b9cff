/** JSON texts that are equal when their values are: members sorted by name, no blanks. For comparison, not for the wire. @module */

import { Refusal } from './errors.ts';

const maxDepth = 64;

/**
 * @param value what `JSON.parse` gives
 * @throws {Refusal} BadRequest when it is nested deeper than 64 levels
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > maxDepth) throw new Refusal('BadRequest', `JSON may be nested ${maxDepth} levels deep`);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(',')}]`;
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member, depth + 1)}`);
  return `{${members.join(',')}}`;
}
