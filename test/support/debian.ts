/** Programs of the system that tests need: installed by root on Debian, where they are missing. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);
const installWithinMs = 100_000;

/** @returns which of these files of the package is there @throws {Error} saying why there is none */
export async function ensurePackage(name: string, files: readonly string[]): Promise<string> {
  if (!files.some(existsSync)) {
    if (userInfo().uid !== 0 || !existsSync('/usr/bin/apt-get'))
      throw new Error(`${name} is not installed, and only root on Debian installs it`);
    await run('apt-get', ['update', '-q'], { timeout: installWithinMs });
    await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', name], { timeout: installWithinMs });
  }
  const found = files.find(existsSync);
  if (found === undefined) throw new Error(`${name} is installed, its files are not where Debian puts them`);
  return found;
}
