/**
 * Making a cluster: the secrets of each signer by a process of its own, whose public half comes back for the cluster file that all of
 * them pin. A cluster on this machine is made at the first start, with its directories and sockets.
 * @module
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { UnixAddress } from '../base/address.ts';
import { newId } from '../base/ids.ts';
import { writeDurably } from '../files.ts';
import {
  type ClusterFile,
  clusterFile,
  currentOf,
  maxSigners,
  type PublicService,
  type PublicSigner,
  pinnedClusterFile,
  publicSigner,
} from '../signer/contract.ts';
import { program } from './program.ts';

export interface LocalSigner {
  readonly index: number;
  readonly dataDir: string;
  readonly address: UnixAddress;
}

const run = promisify(execFile);
/** A unix socket's path has at most 107 bytes on Linux, 103 on macOS. */
const maxSocketPathBytes = 100;

export function localSigners(dataDir: string, indices: readonly number[]): readonly LocalSigner[] {
  return indices.map((index) => ({
    index,
    dataDir: join(dataDir, `signer-${index}`),
    address: { kind: 'unix', path: socketPath(dataDir, `signer-${index}.sock`) },
  }));
}

/**
 * The cluster of `dataDir`, made if there is none. Interrupted at any point, it is taken up again at the next start.
 * @param options.rootPublicKey makes the root's credential, or finds it; asked for only where there is no cluster. PEM
 */
export async function ensureLocalCluster(options: {
  dataDir: string;
  file: string;
  signers: number;
  threshold: number;
  rootPublicKey: () => string;
}): Promise<{ cluster: ClusterFile; signers: readonly LocalSigner[] }> {
  const { dataDir, file, threshold, rootPublicKey } = options;
  if (!existsSync(file)) {
    const publicKey = rootPublicKey();
    const signers = await Promise.all(localSigners(dataDir, numbersTo(options.signers)).map((signer) => makeSigner(signer.dataDir)));
    writeDurably(file, clusterText(newCluster({ threshold, rootPublicKey: publicKey, signers })), 0o644);
  }
  const cluster = readCluster(file);
  const signers = localSigners(dataDir, indicesOf(cluster));
  for (const signer of signers) pin(signer.dataDir, cluster);
  return { cluster, signers };
}

/**
 * @param rootPublicKey PEM of the first administrator's credential
 * @param signers in participant order
 * @throws {Error} when they make no cluster
 */
export function newCluster({
  threshold,
  rootPublicKey,
  signers,
  services,
}: {
  threshold: number;
  rootPublicKey: string;
  signers: readonly PublicSigner[];
  services?: readonly PublicService[];
}): ClusterFile {
  checkSize({ signers: signers.length, threshold });
  const keys = [...signers, ...(services ?? [])].flatMap(Object.values);
  if (new Set(keys).size < keys.length) throw new Error('two signers or services have the same key or name: each must be made on its own');
  return clusterFile.parse({
    clusterId: newId('cluster'),
    threshold,
    root: { publicKey: rootPublicKey, createdAt: Math.floor(Date.now() / 1000) },
    signers: signers.map((signer, i) => ({ index: i + 1, ...signer })),
    ...(services && { services }),
  });
}

/** @throws {Error} when so many signers make no cluster */
export function checkSize({ signers, threshold }: { signers: number; threshold: number }): void {
  const least = 2 * threshold + 1;
  if (signers < least) throw new Error(`threshold ${threshold} needs ${least} signers or more: ECDSA needs an honest majority`);
  if (signers > maxSigners) throw new Error(`a cluster has at most ${maxSigners} signers`);
}

/** As a cluster stands in its file. */
export function clusterText(cluster: ClusterFile): string {
  return `${JSON.stringify(cluster, null, 2)}\n`;
}

/** @throws {Error} when the file is missing or not a cluster file */
export function readCluster(file: string): ClusterFile {
  return clusterFile.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** Makes a signer in `dataDir`, or finds it, in another process. */
export async function makeSigner(dataDir: string): Promise<PublicSigner> {
  const { stdout } = await run(process.execPath, [program, 'signer', 'init', '--data-dir', dataDir]);
  return publicSigner.parse(JSON.parse(stdout));
}

/** Of the signers that are there now. */
export function indicesOf(cluster: ClusterFile): readonly number[] {
  return currentOf(cluster).signers.map(({ index }) => index);
}

function numbersTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

/** What is pinned stays. */
export function pin(signerDir: string, cluster: ClusterFile): void {
  const file = join(signerDir, pinnedClusterFile);
  if (!existsSync(file)) writeDurably(file, clusterText(cluster), 0o600);
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
