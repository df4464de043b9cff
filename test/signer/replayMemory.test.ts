/** What a signer has taken part in, it knows again: whatever happened to its process, and as far as a machine can tell, to the machine. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Refusal } from '../../src/base/errors.ts';
import { openReplayMemory, type ReplayMemory } from '../../src/signer/replayMemory.ts';

const dawn = 1_750_000_000;
const used = 'UserActionUsed: user action has already been used';
const blind = 'Forbidden: the authorisation may have been made before this signer lost its memory of what it has signed';

let dataDir: string;
let seconds: number;
let memory: ReplayMemory | undefined;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'countersign-spent-'));
  seconds = dawn;
});
afterEach(() => {
  memory?.close();
  memory = undefined;
  rmSync(dataDir, { recursive: true });
});

function open({ hasHistory = false, bootId = 'boot 1' as string | undefined } = {}): ReplayMemory {
  memory?.close();
  memory = openReplayMemory({ dataDir, clock: () => seconds * 1000, hasHistory, ...(bootId === undefined ? {} : { bootId }) });
  return memory;
}
function opened(): ReplayMemory {
  if (memory === undefined) throw new Error('no memory is open');
  return memory;
}
const spend = (nonce: string, { index = 0, expiresAt = seconds + 300 } = {}): Promise<string> =>
  opened()
    .spend({ nonce, index, expiresAt })
    .then(
      () => 'not refused',
      (error: unknown) => (error instanceof Refusal ? `${error.code}: ${error.message}` : Promise.reject(error)),
    );

describe('one payload of one request', () => {
  test('is spent once', async () => {
    open();
    expect(await spend('a')).toBe('not refused');
    expect(await spend('a')).toBe(used);
    expect(await spend('a', { index: 1 })).toBe('not refused');
    expect(await spend('b')).toBe('not refused');
    expect(await spend('a', { expiresAt: seconds + 330 })).toBe(used);
  });

  test('is spent whatever expiry is said of it, as long as that may be good, also after a restart', async () => {
    open();
    await spend('a');
    for (const later of [1, 100, 199, 29]) {
      seconds += later;
      expect(await spend('a', { expiresAt: seconds + 330 })).toBe(used);
      open({ hasHistory: true });
      expect(await spend('a', { expiresAt: dawn + 330 })).toBe(used);
      for (let i = 0; i < 3; i++) await spend(`other ${seconds} ${i}`);
    }
  });

  test('stays spent where it was written down by the nonce first', async () => {
    const db = new DatabaseSync(join(dataDir, 'spent.db'));
    db.exec(`
      create table spent (nonce text not null, part integer not null, expires_at integer not null, primary key (nonce, part))
        strict, without rowid;
      create index spent_by_expiry on spent (expires_at);
      create table state (name text primary key, value text not null) strict, without rowid;
      insert into spent values ('a', 0, ${dawn + 300}), ('a', 1, ${dawn + 300});
      insert into state values ('bootId', 'boot 1'), ('blindUntil', '0');
    `);
    db.close();
    for (const _ of ['first start', 'second start']) {
      open({ hasHistory: true });
      expect(await spend('a')).toBe(used);
      expect(await spend('a', { index: 1 })).toBe(used);
    }
    expect(await spend('a', { index: 2 })).toBe('not refused');
  });

  test('is spent once, also by those who come in one turn', async () => {
    open();
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => spend('a', { index: i % 2 })));
    expect(outcomes.filter((outcome) => outcome === 'not refused')).toHaveLength(2);
    expect(outcomes.filter((outcome) => outcome === used)).toHaveLength(18);
    expect(await Promise.all(['b', 'c', 'd'].map((nonce) => spend(nonce)))).toEqual(Array(3).fill('not refused'));
    open({ hasHistory: true });
    for (const nonce of ['a', 'b', 'c', 'd']) expect(await spend(nonce)).toBe(used);
  });

  test('is spent, or its use fails, when the memory is closed meanwhile', async () => {
    open();
    const spending = spend('a');
    open({ hasHistory: true });
    expect(await spending).toBe('not refused');
    expect(await spend('a')).toBe(used);
  });

  test('stays spent over a restart', async () => {
    open();
    await spend('a');
    open({ hasHistory: true });
    expect(await spend('a')).toBe(used);
    expect(await spend('b')).toBe('not refused');
  });

  test('stays spent when the process is killed', async () => {
    const child = spawn(process.execPath, [new URL('./spender.ts', import.meta.url).pathname, dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += String(chunk);
      if (said.length > 4_000) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const last = Number(said.split('\n').at(-2));
    expect(last).toBeGreaterThan(500);
    memory = openReplayMemory({ dataDir, clock: () => seconds * 1000, hasHistory: true });
    for (let i = 0; i <= last; i++) expect(await spend(`nonce-${i}`, { expiresAt: dawn + 300 })).toBe(used);
    expect(await spend(`nonce-${last + 2}`, { expiresAt: dawn + 300 })).toBe('not refused');
  }, 20_000);
});

describe('a memory that may have lost something', () => {
  test('refuses what may have been made before this start: the machine was started again', async () => {
    open();
    open({ bootId: 'boot 2', hasHistory: true });
    expect(await spend('a', { expiresAt: dawn + 330 })).toBe(blind);
    expect(await spend('a', { expiresAt: dawn + 331 })).toBe('not refused');
  });

  test('and goes on refusing it after one more start', async () => {
    open();
    open({ bootId: 'boot 2', hasHistory: true });
    open({ bootId: 'boot 2', hasHistory: true });
    expect(await spend('a', { expiresAt: dawn + 330 })).toBe(blind);
  });

  test('is one that is not there, of a signer that has a history', async () => {
    open({ hasHistory: true });
    expect(await spend('a')).toBe(blind);
  });

  test('is not a new one of a new signer', async () => {
    open();
    expect(await spend('a')).toBe('not refused');
  });
});

test('what has expired is forgotten, and never taken for new even if the clock is set back', async () => {
  open();
  await spend('old');
  seconds += 2_000;
  for (let i = 0; i < 600; i++) await spend(`nonce-${i}`);
  seconds = dawn;
  expect(await spend('old')).toBe(blind);
});

test('the file is its user’s alone, and one process has it', async () => {
  open();
  expect(statSync(join(dataDir, 'spent.db')).mode & 0o777).toBe(0o600);
  expect(() => openReplayMemory({ dataDir, clock: () => 0, hasHistory: false })).toThrow(/is another signer running on it/);
});
