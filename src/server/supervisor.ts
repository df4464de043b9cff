/**
 * Keeps child processes running: a child that dies is started again, after a pause that doubles while it keeps dying. The channel to a
 * child doubles as its life line: a child stops when it breaks, so that none outlives a parent that was killed.
 * @module
 */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Logger } from '../log.ts';
import { program } from './program.ts';

export interface ChildOptions {
  readonly name: string;
  /** Arguments of this program: `['signer', '--data-dir', …]`. */
  readonly args: readonly string[];
}

export interface Supervised {
  /** Resolves when the child says it is ready for the first time. @throws {Error} if it exits before */
  readonly ready: Promise<void>;
  readonly pid: number | undefined;
  /** Asks it to stop, waits, kills it when it takes too long. */
  stop(): Promise<void>;
}

const firstPauseMs = 250;
const longestPauseMs = 10_000;
/** A child that lived this long was well: the pause starts small again. */
const healthyMs = 30_000;
const stopWithinMs = 5_000;

export function supervise({ name, args }: ChildOptions, log: Logger): Supervised {
  const first = Promise.withResolvers<void>();
  let child: ChildProcess | undefined;
  let pauseMs = firstPauseMs;
  let timer: NodeJS.Timeout | undefined;
  let stopping = false;
  let everReady = false;

  const start = (): void => {
    const startedAt = Date.now();
    const started = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child = started;
    started.once('message', () => {
      everReady = true;
      first.resolve();
    });
    started.once('exit', (code, signal) => {
      child = undefined;
      if (stopping) return;
      if (!everReady) {
        first.reject(new Error(`${name} ended at its start (${signal ?? `code ${code}`})`));
        return;
      }
      if (Date.now() - startedAt > healthyMs) pauseMs = firstPauseMs;
      log.warn({ child: name, code, signal, pauseMs }, 'a child died; it will be started again');
      timer = setTimeout(start, pauseMs);
      pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    });
  };
  start();

  return {
    ready: first.promise,
    get pid() {
      return child?.pid;
    },
    stop() {
      stopping = true;
      clearTimeout(timer);
      const running = child;
      if (running === undefined) return Promise.resolve();
      return new Promise((resolve) => {
        const kill = setTimeout(() => running.kill('SIGKILL'), stopWithinMs);
        running.once('exit', () => {
          clearTimeout(kill);
          resolve();
        });
        running.kill('SIGTERM');
      });
    },
  };
}
