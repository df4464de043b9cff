import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { Refusal } from '../../src/base/errors.ts';
import type { Database, Query } from '../../src/store/database.ts';
import { eachDatabase } from '../support/databases.ts';

const migrations = new URL('./migrations/', import.meta.url);

eachDatabase((name, open) => {
  let database: Database;

  beforeAll(async () => {
    database = await open({ migrations });
  });

  const mark = (number: number) => database.query('insert into marks values ($1)', [number]);
  const marked = async () =>
    (await database.query<{ number: number }>('select number from marks order by number')).map((row) => row.number);

  describe('values', () => {
    test('come back as they went in', async () => {
      const thing = {
        id: 'thing-1',
        date_created: new Date('2031-02-03T04:05:06.789Z'),
        amount: 2 ** 53 - 1,
        bytes: Uint8Array.of(0, 92, 120, 255),
        tags: ['a', 'b "quoted", with commas', '', 'null', 'ü'],
        content: { nested: [1, null, { a: 'ä' }] },
      };
      await database.query('insert into things values ($1, $2, $3, $4, $5, $6)', Object.values(thing));
      expect(await database.query('select * from things')).toStrictEqual([thing]);
    });

    test('arrays of every type we use come back as arrays', async () => {
      const [row] = await database.query(
        `select array_agg(n order by n) as numbers, array[$2::bytea, null] as bytes, array[$3::timestamptz] as dates, $4::jsonb[] as contents
         from unnest($1::bigint[]) n`,
        [[2, 1], Uint8Array.of(7), new Date(0), [{ a: [1] }, '"text"']],
      );
      expect(row).toStrictEqual({ numbers: [1, 2], bytes: [Uint8Array.of(7), null], dates: [new Date(0)], contents: [{ a: [1] }, 'text'] });
    });

    test('undefined is null, and text keeps what looks like SQL', async () => {
      const [row] = await database.query('select $1::text as nothing, $2::text as text', [undefined, `'); drop table things; --`]);
      expect(row).toStrictEqual({ nothing: null, text: `'); drop table things; --` });
    });

    test('a megabyte goes through', async () => {
      const bytes = new Uint8Array(2 ** 20).map((_, i) => i);
      const [row] = await database.query('select $1::bytea as bytes', [bytes]);
      expect(row).toStrictEqual({ bytes });
    });
  });

  describe('errors', () => {
    test('carry the SQLSTATE and leave the connections usable', async () => {
      for (let i = 0; i < 20; i++) {
        await expect(database.query('select 1 / $1::int as one', [0])).rejects.toMatchObject({ code: '22012' });
      }
      expect(await database.query('select 1 / $1::int as one', [1])).toStrictEqual([{ one: 1 }]);
    });

    test('of one of several concurrent statements do not touch the others', async () => {
      const results = await Promise.allSettled([1, 0, 2, 0, 3].map((n) => database.query('select 6 / $1::int as share', [n])));
      expect(results.map((result) => (result.status === 'fulfilled' ? result.value[0]?.share : result.reason.code))).toStrictEqual([
        6,
        '22012',
        3,
        '22012',
        2,
      ]);
    });

    test('a statement that does not parse is refused, again and again', async () => {
      for (let i = 0; i < 3; i++) await expect(database.query('selec 1')).rejects.toMatchObject({ code: '42601' });
    });
  });

  describe('a transaction', () => {
    test('is seen by others only when it is committed', async () => {
      const other = Promise.withResolvers<number>();
      await database.transaction(async (tx) => {
        await tx.query('insert into marks values ($1)', [100]);
        void marked().then((numbers) => other.resolve(numbers.length));
        if (name === 'postgres') expect(await other.promise).toBe(0);
        else await wait(20);
      });
      expect(await marked()).toStrictEqual([100]);
      expect(await other.promise).toBe(name === 'postgres' ? 0 : 1);
    });

    test('is undone when its work throws, and the error is handed on', async () => {
      const before = await marked();
      const error = new Error('no');
      const work = async (tx: Query) => {
        await tx.query('insert into marks values (200)');
        throw error;
      };
      await expect(database.transaction(work)).rejects.toBe(error);
      expect(await marked()).toStrictEqual(before);
    });

    test('with a failed statement is not taken for committed, even when its work swallows the error', async () => {
      const before = await marked();
      const work = async (tx: Query) => {
        await tx.query('insert into marks values (300)');
        await tx.query('insert into marks values (300)').catch(() => {});
      };
      await expect(database.transaction(work)).rejects.toThrow('no statement failed');
      expect(await marked()).toStrictEqual(before);
    });

    test('cannot be used once its work has resolved', async () => {
      const leaked = await database.transaction(async (tx) => ({ tx }));
      await expect(leaked.tx.query('select 1')).rejects.toThrow('does not hold');
    });

    test('gives its connection back, fifty at once', async () => {
      const numbers = Array.from({ length: 50 }, (_, i) => 1000 + i);
      await Promise.all(
        numbers.map((number) =>
          database
            .transaction(async (tx) => {
              await tx.query('insert into marks values ($1)', [number]);
              if (number % 2 === 0) throw new Refusal('Conflict');
            })
            .catch((error: unknown) => expect(error).toBeInstanceOf(Refusal)),
        ),
      );
      expect((await marked()).filter((number) => number >= 1000)).toStrictEqual(numbers.filter((number) => number % 2 === 1));
    });

    test('does not starve statements, nor they it', async () => {
      const order: string[] = [];
      await Promise.all([
        database.query('select 1').then(() => order.push('query 1')),
        database.transaction(async (tx) => {
          await tx.query('select 1');
          await wait(5);
          order.push('transaction');
        }),
        database.query('select 1').then(() => order.push('query 2')),
      ]);
      expect(order.toSorted()).toStrictEqual(['query 1', 'query 2', 'transaction']);
      if (name === 'pglite') expect(order).toStrictEqual(['query 1', 'transaction', 'query 2']);
    });
  });

  test('a primary key lets one of two concurrent inserts through', async () => {
    const results = await Promise.allSettled([mark(1), mark(1)]);
    expect(results.map(({ status }) => status).toSorted()).toStrictEqual(['fulfilled', 'rejected']);
  });
});
