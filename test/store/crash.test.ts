import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Location } from '../../src/store/open.ts';
import { openDatabase } from '../../src/store/open.ts';
import { eachDatabase } from '../support/databases.ts';

const migrations = new URL('./migrations/', import.meta.url);
const writer = fileURLToPath(new URL('./crashWriter.ts', import.meta.url));

interface Writer {
  readonly process: ChildProcess;
  /** The numbers that the writer has seen committed. */
  readonly acknowledged: readonly number[];
}

/** Starts a process that inserts numbers from `first` on, several at once, and prints each when it is committed. */
async function startWriter(at: Location, first: number): Promise<Writer> {
  const child = spawn(process.execPath, [writer, JSON.stringify(at), String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged: number[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => acknowledged.push(Number(line)));
  await once(child.stdout, 'data');
  return { process: child, acknowledged };
}

eachDatabase((name, _open, place) => {
  test('what was acknowledged survives kill -9, several times over, and the lock does not', async () => {
    const at = await place();
    const acknowledged: number[] = [];
    for (let round = 0; round < 4; round++) {
      const running = await startWriter(at, round * 1_000_000);
      await wait(100 + 150 * round);
      if (name === 'pglite' && round === 0) {
        await expect(openDatabase(at, { migrations })).rejects.toThrow(`in use by another process (pid ${running.process.pid})`);
      }
      running.process.kill('SIGKILL');
      await once(running.process, 'close');
      acknowledged.push(...running.acknowledged);
    }

    const database = await openDatabase(at, { migrations });
    const rows = await database.query<{ number: number }>('select number from marks');
    await database.close();
    const kept = new Set(rows.map(({ number }) => number));
    expect(acknowledged.length).toBeGreaterThan(100);
    expect(acknowledged.filter((number) => !kept.has(number))).toStrictEqual([]);
  });
});
