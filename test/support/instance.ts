/**
 * A whole Countersign as a user runs it: the program in a process of its own with its signers, on a data directory, spoken to by the
 * official client over HTTP. For wire tests, the demo and the benchmarks.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseEnv } from 'node:util';
import { DfnsApiClient } from '@dfns/sdk';
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner';

const program = new URL('../../src/main.ts', import.meta.url).pathname;
const readyWithinMs = 60_000;

export interface Instance {
  readonly origin: string;
  readonly dataDir: string;
  /** The variables of admin.env. */
  readonly admin: Readonly<Record<string, string>>;
  readonly process: ChildProcess;
  /** What the process has written to standard output and error so far. */
  output(): string;
  /** SIGTERM, and waits for the exit. @returns the exit code */
  stop(): Promise<number | null>;
  /** SIGKILL to the service; its signers must notice on their own. */
  kill(): Promise<void>;
  /** Stops what runs and removes the data directory. */
  remove(): Promise<void>;
}

export interface InstanceOptions {
  /** Kept from an earlier instance; a fresh temporary one when left out. */
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export async function startInstance({ dataDir = freshDirectory(), env = {} }: InstanceOptions = {}): Promise<Instance> {
  const port = env.PORT ?? String(await freePort());
  const child = spawn(process.execPath, [program, 'start'], {
    env: { PATH: process.env.PATH, LOG_LEVEL: 'warn', ...env, PORT: port, DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const origin = `http://127.0.0.1:${port}`;
  await Promise.race([
    answers(`${origin}/healthz`),
    ended.then((code) => Promise.reject(new Error(`the instance ended with code ${code} before it was ready:\n${output}`))),
  ]);

  return {
    origin,
    dataDir,
    admin: parseEnv(readFileSync(join(dataDir, 'admin.env'), 'utf8')) as Record<string, string>,
    process: child,
    output: () => output,
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    async remove() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
      await signersGone(dataDir);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** The official client, as an administrator of this instance. */
export function officialClient({ origin, admin }: Pick<Instance, 'origin' | 'admin'>): DfnsApiClient {
  const { DFNS_ORG_ID: orgId, DFNS_AUTH_TOKEN: authToken, DFNS_CRED_ID: credId, DFNS_PRIVATE_KEY: privateKey } = admin;
  if (!orgId || !authToken || !credId || !privateKey) throw new Error('admin.env lacks a variable');
  const signer = new AsymmetricKeySigner({ credId, privateKey });
  return new DfnsApiClient({ baseUrl: origin, orgId, authToken, signer });
}

export function freshDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'countersign-'));
}

/** A port nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

/** Waits until the signers of a killed service have noticed and let go of their sockets. */
export async function signersGone(dataDir: string): Promise<void> {
  const until = Date.now() + 10_000;
  while (Date.now() < until && signerPids(dataDir).length > 0) await pause(20);
}

/** The processes whose command line names this data directory as a signer's. Linux. */
export function signerPids(dataDir: string): number[] {
  if (!existsSync('/proc')) return [];
  return readdirNumbers('/proc').filter((pid) => commandLine(pid).includes(`${dataDir}/signer-`));
}

function readdirNumbers(path: string): number[] {
  return readdirSync(path)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // it has ended
  }
}

async function answers(url: string): Promise<void> {
  const until = Date.now() + readyWithinMs;
  while (Date.now() < until) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await pause(25);
  }
  throw new Error(`${url} did not answer within ${readyWithinMs} ms`);
}
