import { beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/store/database.ts';
import { rowsParameter } from '../../src/store/rows.ts';
import { eachDatabase } from '../support/databases.ts';

eachDatabase((_name, open) => {
  let database: Database;
  beforeAll(async () => {
    database = await open();
  });

  const given = (rows: readonly object[]) =>
    database.query('select * from json_to_recordset($1::json) as row (text text, "onDate" timestamptz, content json)', [
      rowsParameter(rows),
    ]);

  test('rows go in as they are, in their order', async () => {
    const rows = [
      { text: 'b "quoted" \\ \\u0041 ü 😀', onDate: new Date('2031-02-03T04:05:06.789Z'), content: { nested: [1, null, 'ä'] } },
      { text: '', onDate: null, content: null },
      { text: 'a', onDate: new Date(0), content: [] },
    ];
    expect(await given(rows)).toStrictEqual(rows);
  });

  test('what is undefined is null', async () => {
    expect(await given([{ text: undefined }])).toStrictEqual([{ text: null, onDate: null, content: null }]);
  });

  test('a row with half of a character does not fail those beside it', async () => {
    const rows = await given([{ text: '\ud83d' }, { text: 'a\ude00b', content: { c: '\uDBFF' } }, { text: '😀 \\ud83d' }]);
    expect(rows.map(({ text }) => text)).toStrictEqual(['\ufffd', 'a\ufffdb', '😀 \\ud83d']);
  });
});
