import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toBase64Url, utf8 } from '../../src/base/bytes.ts';
import { decodePageToken, encodePageToken, type PageQuery, pageEnd, pageQuery, pageStart } from '../../src/base/pagination.ts';

interface Row {
  readonly date: Date;
  readonly id: string;
}

const positionOf = (row: Row) => row;

/** What the statement of a store does: newest first, after a position. */
function select(rows: readonly Row[], { date, id, take }: ReturnType<typeof pageStart>): Row[] {
  const isAfter = (row: Row) => date === null || id === null || row.date < date || (row.date.getTime() === date.getTime() && row.id < id);
  return rows
    .toSorted((a, b) => b.date.getTime() - a.date.getTime() || (a.id < b.id ? 1 : -1))
    .filter(isAfter)
    .slice(0, take);
}

function readAll(rows: readonly Row[], limit: number): { ids: string[]; pages: number } {
  const ids: string[] = [];
  let query: PageQuery = { limit };
  for (let pages = 1; ; pages++) {
    const page = pageEnd(select(rows, pageStart(query, {})), query, {}, positionOf);
    ids.push(...page.rows.map(({ id }) => id));
    if (page.nextPageToken === undefined) return { ids, pages };
    query = { limit, paginationToken: page.nextPageToken };
  }
}

test('page by page, every row comes once, newest first, whatever the dates and the limit', () => {
  const rows = fc
    .uniqueArray(fc.integer({ min: 0, max: 999 }), { maxLength: 40 })
    .chain((numbers) =>
      fc.tuple(...numbers.map((n) => fc.integer({ min: 0, max: 5 }).map((ms) => ({ id: `key-${n}`, date: new Date(ms) })))),
    );
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 7 }), (all, limit) => {
      const { ids, pages } = readAll(all, limit);
      expect(ids).toEqual(select(all, { date: null, id: null, take: all.length }).map(({ id }) => id));
      expect(pages).toBe(Math.max(1, Math.ceil(all.length / limit)));
    }),
  );
});

describe('a token', () => {
  const position = { date: new Date('2031-02-03T04:05:06.789Z'), id: 'key-abcde-fghij-klmnopqrstuvwxyz' };
  const filter = { organisationId: 'or-1', owner: 'us-1', archived: false };
  const token = encodePageToken(position, filter);

  test('gives back its position', () => {
    expect(decodePageToken(token, filter)).toEqual(position);
  });

  test('does not depend on the order of the filter, nor on members that are not set', () => {
    expect(decodePageToken(token, { archived: false, owner: 'us-1', status: undefined, organisationId: 'or-1' })).toEqual(position);
  });

  test.each([
    ['another value', { ...filter, owner: 'us-2' }],
    ['a value of another type', { ...filter, archived: 'false' }],
    ['one member less', { organisationId: 'or-1', owner: 'us-1' }],
    ['one member more', { ...filter, status: 'Active' }],
  ])('serves no other list: %s', (_, other) => {
    expect(() => decodePageToken(token, other)).toThrow('paginationToken is not valid');
  });

  test.each([
    '',
    'a',
    'not base64url!',
    token.slice(1),
    `${token}AA`,
    toBase64Url(utf8('null')),
    toBase64Url(utf8('[]')),
    toBase64Url(utf8('{"date":1}')),
    toBase64Url(utf8('[1e999,"key-1","x"]')),
    toBase64Url(utf8('[-1,"key-1","x"]')),
    toBase64Url(utf8('[9e15,"key-1","x"]')),
    toBase64Url(utf8('[1,"\\u0000","x"]')),
    toBase64Url(Uint8Array.of(0xff, 0xfe)),
  ])('of other making is refused: %j', (text) => {
    expect(() => decodePageToken(text, filter)).toThrow(expect.objectContaining({ code: 'BadRequest' }));
  });
});

test('the query gives numbers within its bounds', () => {
  const query = pageQuery({ defaultLimit: 50, maxLimit: 200 });
  expect(query.parse({})).toEqual({ limit: 50 });
  expect(query.parse({ limit: '200', paginationToken: 'abc' })).toEqual({ limit: 200, paginationToken: 'abc' });
  for (const limit of ['0', '201', '-1', '1.0', ' 1', '1e1', '', '９', '1'.repeat(30)])
    expect(query.safeParse({ limit }).success).toBe(false);
});
