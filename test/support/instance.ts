/**
 * A whole Countersign as a user runs it: the program in a process of its own with its signers, on a data directory, spoken to by the
 * official client over HTTP. For wire tests, the demo and the benchmarks.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseEnv } from 'node:util';
import { DfnsApiClient } from '@dfns/sdk';
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner';
import { commandLine, processes } from './processes.ts';

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
  const service = await startProgram('start', { dataDir, env });
  return { ...service, admin: parseEnv(readFileSync(join(dataDir, 'admin.env'), 'utf8')) as Record<string, string> };
}

/** One more replica of the service, without signers of its own: it shares those of `first`, and its database, which `env` must name. */
export async function startReplica(first: Instance, { dataDir = freshDirectory(), env = {} }: InstanceOptions = {}): Promise<Instance> {
  const clusterFile = join(first.dataDir, 'cluster.json');
  const { signers }: { signers: readonly { index: number }[] } = JSON.parse(readFileSync(clusterFile, 'utf8'));
  const shared = {
    CLUSTER_FILE: clusterFile,
    SIGNERS: signers.map(({ index }) => `unix:${join(first.dataDir, 'run', `signer-${index}.sock`)}`).join(','),
    TOKEN_KEY_FILE: join(first.dataDir, 'token.key'),
  };
  return { ...(await startProgram('serve', { dataDir, env: { ...shared, ...env } })), admin: first.admin };
}

/** A start that is expected to fail: waits for its end. */
export async function failingStart({ dataDir = freshDirectory(), env = {} }: InstanceOptions = {}): Promise<{
  code: number | null;
  output: string;
}> {
  const { closed, output } = run('start', { dataDir, env });
  return { code: await closed, output: output() };
}

function run(command: 'start' | 'serve', { dataDir, env }: Required<InstanceOptions>) {
  const child = spawn(process.execPath, [program, command], {
    env: { PATH: process.env.PATH, LOG_LEVEL: 'warn', ...env, DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  // After the last of the output, which its signers share.
  const closed = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return { child, closed, output: () => output };
}

async function startProgram(command: 'start' | 'serve', { dataDir, env }: Required<InstanceOptions>): Promise<Omit<Instance, 'admin'>> {
  const port = env.PORT ?? String(await freePort());
  const { child, closed, output } = run(command, { dataDir, env: { ...env, PORT: port } });
  const origin = `http://127.0.0.1:${port}`;
  const asking = new AbortController();
  await Promise.race([
    answers(`${origin}/healthz`, asking.signal),
    closed.then((code) => Promise.reject(new Error(`the instance ended with code ${code} before it was ready:\n${output()}`))),
  ]).finally(() => asking.abort());

  return {
    origin,
    dataDir,
    process: child,
    output,
    stop() {
      child.kill('SIGTERM');
      return exited(child);
    },
    async kill() {
      child.kill('SIGKILL');
      await exited(child);
    },
    async remove() {
      child.kill('SIGKILL');
      await exited(child);
      await signersGone(dataDir);
      for (const pid of signerPids(dataDir)) process.kill(pid, 'SIGKILL'); // one that hangs
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** @returns the exit code; null when it was killed */
export function exited(child: ChildProcess): Promise<number | null> {
  const hasExited = child.exitCode !== null || child.signalCode !== null;
  return hasExited ? Promise.resolve(child.exitCode) : new Promise((resolve) => child.once('exit', (code) => resolve(code)));
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

/** The processes whose command line names this data directory as a signer's, or as that signer's. Linux. */
export function signerPids(dataDir: string, index?: number): number[] {
  const directory = index === undefined ? `${dataDir}/signer-` : `${dataDir}/signer-${index} `;
  return processes().filter((pid) => commandLine(pid).includes(directory));
}

async function answers(url: string, signal: AbortSignal): Promise<void> {
  const until = Date.now() + readyWithinMs;
  while (Date.now() < until && !signal.aborted) {
    const response = await fetch(url, { signal }).catch(() => undefined);
    if (response?.ok) return;
    await pause(25);
  }
  throw new Error(`${url} did not answer within ${readyWithinMs} ms`);
}
