/** Processes as on hosts of their own: each in its directory, behind an address of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

export const program = new URL('../../src/main.ts', import.meta.url).pathname;
const startWithinMs = 60_000;

export interface Host {
  readonly output: () => string;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const running = new Set<ChildProcess>();

export function startOn(directory: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Host {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: directory,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  ended.then(() => running.delete(child));
  return {
    output: () => output,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}

/** Whatever a test has left. */
export function killHosts(): void {
  for (const child of running) child.kill('SIGKILL');
}

export async function until(what: string, truth: () => boolean | Promise<boolean>, output: () => string): Promise<void> {
  const end = Date.now() + startWithinMs;
  while (!(await truth())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${startWithinMs} ms:\n${output()}`);
    await pause(50);
  }
}

export function answersAt(origin: string): Promise<boolean> {
  return fetch(`${origin}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );
}
