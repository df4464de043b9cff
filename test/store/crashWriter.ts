/** The process that the crash test kills: inserts numbers, eight at once, and prints each when it is committed. */

import { type Location, openDatabase } from '../../src/store/open.ts';

const [at, first] = process.argv.slice(2);
const location: Location = JSON.parse(at ?? '');
const database = await openDatabase(location, { migrations: new URL('./migrations/', import.meta.url) });
let next = Number(first);

async function write(): Promise<never> {
  for (;;) {
    const number = next++;
    await database.query('insert into marks values ($1)', [number]);
    process.stdout.write(`${number}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, write));
