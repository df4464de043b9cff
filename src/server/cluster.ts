/**
 * A cluster on this machine: its signers' directories and sockets, made at the first start. The secrets of each signer are made by a
 * process of its own; what comes back is its public half, for the cluster file that all of them pin.
 * @module
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { newId } from '../base/ids.ts';
import { type ClusterFile, clusterFile, pinnedClusterFile } from '../signer/contract.ts';
import { writeDurably } from './files.ts';

export interface LocalSigner {
  readonly index: number;
  readonly dataDir: string;
  readonly socket: string;
}

const run = promisify(execFile);
const program = new URL('../main.ts', import.meta.url).pathname;
const publicSigner = z.object({ signerId: z.string(), encryptionKey: z.string() });
/** A unix socket's path has at most 107 bytes on Linux, 103 on macOS. */
const maxSocketPathBytes = 100;

export function localSigners(dataDir: string, count: number): readonly LocalSigner[] {
  return Array.from({ length: count }, (_, i) => ({
    index: i + 1,
    dataDir: join(dataDir, `signer-${i + 1}`),
    socket: socketPath(dataDir, `signer-${i + 1}.sock`),
  }));
}

/** The cluster of `dataDir`, made if there is none. Interrupted at any point, it is taken up again at the next start. */
export async function ensureLocalCluster(options: {
  dataDir: string;
  file: string;
  signers: number;
  threshold: number;
}): Promise<{ cluster: ClusterFile; signers: readonly LocalSigner[] }> {
  if (existsSync(options.file)) {
    const cluster = readCluster(options.file);
    const signers = localSigners(options.dataDir, cluster.signers.length);
    for (const { dataDir } of signers) pin(dataDir, cluster);
    return { cluster, signers };
  }
  const signers = localSigners(options.dataDir, options.signers);
  const identities = await Promise.all(signers.map(({ dataDir }) => initialise(dataDir)));
  const cluster: ClusterFile = {
    clusterId: newId('cluster'),
    threshold: options.threshold,
    signers: identities.map((identity, i) => ({ index: i + 1, ...identity })),
  };
  for (const { dataDir } of signers) pin(dataDir, cluster);
  writeDurably(options.file, JSON.stringify(cluster, null, 2), 0o644);
  return { cluster, signers };
}

/** @throws {Error} when the file is missing or not a cluster file */
export function readCluster(file: string): ClusterFile {
  return clusterFile.parse(JSON.parse(readFileSync(file, 'utf8')));
}

async function initialise(dataDir: string): Promise<z.output<typeof publicSigner>> {
  const { stdout } = await run(process.execPath, [program, 'signer', 'init', '--data-dir', dataDir]);
  return publicSigner.parse(JSON.parse(stdout));
}

function pin(signerDir: string, cluster: ClusterFile): void {
  const file = join(signerDir, pinnedClusterFile);
  if (!existsSync(file)) writeDurably(file, JSON.stringify(cluster, null, 2), 0o600);
}

function socketPath(dataDir: string, name: string): string {
  const beside = join(dataDir, 'run', name);
  if (Buffer.byteLength(beside) <= maxSocketPathBytes) {
    mkdirSync(join(dataDir, 'run'), { recursive: true, mode: 0o700 });
    return beside;
  }
  // Too long for a socket: a directory of this user alone under the system's own, the same at each start.
  const elsewhere = join(tmpdir(), `countersign-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`);
  mkdirSync(elsewhere, { recursive: true, mode: 0o700 });
  return join(elsewhere, name);
}
