/**
 * Pages of a list (contract §1.3): newest first, resumed after the last row seen (keyset), so that rows arriving meanwhile neither repeat
 * nor hide others. A store reads one row more than asked, which tells whether a page follows:
 *
 *   where … and ($2::timestamptz is null or (date_created, id) < ($2, $3)) order by date_created desc, id desc limit $4
 *
 * with `pageStart` giving $2, $3 and $4, and `pageEnd` making the page of what came back. Dates are kept in whole milliseconds: a position
 * travels as such.
 * @module
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import { fromBase64Url, toBase64Url, utf8 } from './bytes.ts';
import { Refusal } from './errors.ts';

const maxTokenLength = 512;

/** The query parameters of a list; extend it with the filters of that list. A limit outside 1..maxLimit is refused. */
export function pageQuery({ defaultLimit, maxLimit }: { defaultLimit: number; maxLimit: number }) {
  return z.object({
    limit: z
      .string()
      .regex(/^\d{1,9}$/, 'must be a whole number')
      .transform(Number)
      .pipe(z.number().min(1).max(maxLimit))
      .default(defaultLimit),
    paginationToken: z.string().max(maxTokenLength).optional(),
  });
}

export interface PageQuery {
  readonly limit: number;
  readonly paginationToken?: string | undefined;
}

/** The answer of a paginated list. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextPageToken: z.string().optional() });
}

/** What distinguishes one list from another: a token serves only the list it was issued for. Also name what the path selects. */
export type PageFilter = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Where a row stands in the order of the list. */
export interface Position {
  readonly date: Date;
  readonly id: string;
}

/** Parameters for the statement: rows after `date` and `id` (null on the first page), at most `take` of them. @throws {Refusal} BadRequest */
export function pageStart(
  query: PageQuery,
  filter: PageFilter,
): { readonly date: Date | null; readonly id: string | null; readonly take: number } {
  const take = query.limit + 1;
  if (query.paginationToken === undefined) return { date: null, id: null, take };
  return { ...decodePageToken(query.paginationToken, filter), take };
}

/** The page made of the rows of that statement, and the token of the next page when there is one. */
export function pageEnd<R>(
  rows: readonly R[],
  query: PageQuery,
  filter: PageFilter,
  positionOf: (row: R) => Position,
): { readonly rows: readonly R[]; readonly nextPageToken?: string } {
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  if (rows.length <= query.limit || last === undefined) return { rows: page };
  return { rows: page, nextPageToken: encodePageToken(positionOf(last), filter) };
}

/** Opaque to the caller, not secret and not authenticated: who forges one sees nothing the list itself would not show. */
export function encodePageToken(position: Position, filter: PageFilter): string {
  return toBase64Url(utf8(JSON.stringify([position.date.getTime(), position.id, fingerprint(filter)])));
}

const tokenContent = z.tuple([z.int().min(0).max(8.64e15), z.string().regex(/^[\w-]{1,64}$/), z.string()]);

/** @throws {Refusal} BadRequest for a token that is not ours, or was issued for another list */
export function decodePageToken(token: string, filter: PageFilter): Position {
  const content = tokenContent.safeParse(parsed(token));
  if (!content.success || content.data[2] !== fingerprint(filter)) throw new Refusal('BadRequest', 'paginationToken is not valid');
  const [ms, id] = content.data;
  return { date: new Date(ms), id };
}

function parsed(token: string): unknown {
  const bytes = fromBase64Url(token);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/** Twelve bytes of SHA-256 over the members that are set, in the order of their names. */
function fingerprint(filter: PageFilter): string {
  const members = Object.entries(filter)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return toBase64Url(sha256(utf8(JSON.stringify(members))).subarray(0, 12));
}
