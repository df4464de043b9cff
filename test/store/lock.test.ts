import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { lockDirectory } from '../../src/store/lock.ts';

const root = mkdtempSync(join(tmpdir(), 'countersign-test-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const lockModule = new URL('../../src/store/lock.ts', import.meta.url).href;

test('a second holder is refused, in this process too, until the first releases', () => {
  const directory = join(root, 'made', 'below');
  const lock = lockDirectory(directory);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(() => lockDirectory(directory)).toThrow(`${directory} is in use by another process (pid ${process.pid})`);
  lock.release();
  lock.release();
  lockDirectory(directory).release();
});

test('kill -9 of the holder frees it, and its pid was named meanwhile', async () => {
  const directory = join(root, 'killed');
  const program = `const { lockDirectory } = await import(${JSON.stringify(lockModule)});
    lockDirectory(${JSON.stringify(directory)}); globalThis.gc?.(); console.log('locked'); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  expect(() => lockDirectory(directory)).toThrow(`pid ${holder.pid}`);
  holder.kill('SIGKILL');
  await once(holder, 'close');
  lockDirectory(directory).release();
});

test('a directory that cannot be made is named', () => {
  expect(() => lockDirectory('/dev/null/data')).toThrow('/dev/null/data cannot be used as a data directory');
});
