/**
 * The end of custody: private keys, whole, from the backups of t + 1 signers. Offline, and pure but for reading the backups. A key comes out
 * only if it is the one of its public key.
 * @module
 */

import { createHash } from 'node:crypto';
import { decodeEntry } from '../authority/entry.ts';
import { apply } from '../authority/log.ts';
import type { Key } from '../authority/registry.ts';
import { initialRegistry } from '../authority/root.ts';
import { equal, toHex } from '../base/bytes.ts';
import { parsePath } from '../base/derivationPath.ts';
import { assert, messageOf } from '../base/errors.ts';
import { type KeyType, keyTypes } from '../base/keyTypes.ts';
import { groupOf } from '../crypto/groups/index.ts';
import { deriveChild } from '../crypto/hd.ts';
import { decodeKeyShare, encodePublic, type KeyShare } from '../mpc/keyShare.ts';
import { interpolateAtZero } from '../mpc/shamir.ts';
import type { Backup } from './backup/read.ts';
import { type ClusterFile, rootOf } from './contract.ts';

export interface RecoveredKey {
  readonly keyId: string;
  readonly keyType: KeyType;
  /** As its group encodes them. */
  readonly publicKey: Uint8Array;
  readonly secret: Uint8Array;
  /** 32 bytes. */
  readonly chainCode: Uint8Array;
  /** Of a child. */
  readonly derivedFrom: { readonly keyId: string; readonly path: string } | undefined;
  readonly isMaster: boolean;
}

export interface Recovery {
  readonly clusterId: string;
  readonly keys: readonly RecoveredKey[];
}

interface Part {
  readonly file: string;
  readonly signerId: string;
  readonly cluster: ClusterFile;
  readonly entries: readonly string[];
  /** By key: the share with its epoch. */
  readonly shares: ReadonlyMap<string, { readonly epoch: number; readonly share: KeyShare }>;
}

/**
 * @param wanted ids of keys; all there are, when left out
 * @throws {Error} saying which backups do not fit together, or for which key there are too few shares
 */
export function recoverKeys(backups: readonly Backup[], wanted?: readonly string[]): Recovery {
  const parts = backups.map(partOf);
  try {
    const { clusterId, threshold, signers } = oneCluster(parts);
    if (parts.length <= threshold)
      throw new Error(`${threshold + 1} of the cluster's ${signers.length} signers hold a key: ${parts.length} backups are too few`);
    const known = keysKnownTo(parts);
    const children = [...known.values()].flatMap(({ id, derivedFrom }) => (derivedFrom === undefined ? [] : [id]));
    const ids = wanted ?? [...new Set([...parts.flatMap(({ shares }) => [...shares.keys()]), ...children])].sort();
    return { clusterId, keys: ids.map((keyId) => keyOf(keyId, { parts, known })) };
  } finally {
    for (const { shares } of parts) for (const { share } of shares.values()) share.secret.fill(0);
  }
}

function partOf(backup: Backup): Part {
  const shares = new Map<string, { epoch: number; share: KeyShare }>();
  const entries: string[] = [];
  let cluster: ClusterFile | undefined;
  for (const line of backup.lines()) {
    if (line.kind === 'cluster') cluster = line.cluster;
    if (line.kind === 'entry') entries.push(line.text);
    if (line.kind === 'share') shares.set(line.keyId, { epoch: line.epoch, share: decodeKeyShare(line.plain) });
    if (line.kind === 'share' || line.kind === 'secret') line.plain.fill(0);
  }
  const { file, header } = backup;
  if (cluster === undefined) throw new Error(`${file}: it does not say of which cluster it is`);
  const members = [cluster, ...(cluster.changes ?? [])].flatMap(({ signers }) => signers);
  if (!members.some(({ signerId }) => signerId === header.signerId)) throw new Error(`${file}: its signer is not of its cluster`);
  return { file, signerId: header.signerId, cluster, entries, shares };
}

/** @throws {Error} unless all parts are of one cluster, and of different signers */
function oneCluster(parts: readonly Part[]): ClusterFile {
  const [first] = parts;
  if (first === undefined) throw new Error('there are no backups');
  const membersOf = ({ clusterId, threshold, signers, root }: ClusterFile) =>
    JSON.stringify([clusterId, threshold, root.publicKey, signers.map(({ index, signerId }) => [index, signerId])]);
  for (const { file, cluster } of parts)
    if (membersOf(cluster) !== membersOf(first.cluster)) throw new Error(`${file} is of another cluster than ${first.file}`);
  if (new Set(parts.map(({ signerId }) => signerId)).size < parts.length) throw new Error('two of the backups are of one signer');
  return first.cluster;
}

/** By the longest of their logs. @throws {Error} if that is not what it was */
function keysKnownTo(parts: readonly Part[]): ReadonlyMap<string, Key> {
  const [longest] = [...parts].sort((a, b) => b.entries.length - a.entries.length);
  assert(longest, 'there are parts');
  const registry = initialRegistry(rootOf(longest.cluster));
  const keys = new Map<string, Key>();
  try {
    for (const text of longest.entries)
      for (const change of apply(registry, decodeEntry(text), 'replay').changes)
        if (change.kind === 'key') keys.set(change.record.id, change.record);
  } catch (cause) {
    throw new Error(`${longest.file}: its authority log is not what it was: ${messageOf(cause)}`, { cause });
  }
  return keys;
}

function keyOf(keyId: string, { parts, known }: { parts: readonly Part[]; known: ReadonlyMap<string, Key> }): RecoveredKey {
  const key = known.get(keyId);
  if (key?.derivedFrom === undefined) return wholeKey(keyId, parts, key?.isMaster ?? false);
  const { derivedFrom } = key;
  const master = wholeKey(derivedFrom.keyId, parts, true);
  const path = parsePath(derivedFrom.path);
  assert(path, 'the registry has paths only');
  const { curve } = keyTypes[master.keyType];
  const group = groupOf(curve);
  const { shift, publicKey, chainCode } = deriveChild(curve, master, path);
  const secret = group.encodeScalar((group.decodeScalar(master.secret) + shift) % group.order);
  master.secret.fill(0);
  return verified({ ...master, keyId, publicKey, secret, chainCode, derivedFrom, isMaster: false });
}

/** @throws {Error} when too few of the shares belong together */
function wholeKey(keyId: string, parts: readonly Part[], isMaster: boolean): RecoveredKey {
  const held = parts.flatMap(({ file, shares }) => {
    const found = shares.get(keyId);
    return found === undefined ? [] : [{ file, ...found }];
  });
  if (held.length === 0) throw new Error(`none of the backups has a share of key ${keyId}`);
  const sharings = Map.groupBy(held, ({ epoch, share }) => `${epoch}/${toHex(sha256(encodePublic(share)))}`);
  const enough = [...sharings.values()].find((same) => same.length > (same[0]?.share.threshold ?? Number.POSITIVE_INFINITY));
  const [first] = enough ?? [];
  if (enough === undefined || first === undefined) {
    const said = held.map(({ file, epoch, share }) => `${file} (epoch ${epoch}, of which it takes ${share.threshold + 1})`);
    throw new Error(`too few shares of key ${keyId} belong together: ${said.join(', ')}`);
  }
  const { keyType, publicKey, chainCode, threshold } = first.share;
  const group = groupOf(keyTypes[keyType].curve);
  const shares = enough.slice(0, threshold + 1).map(({ share }) => [share.index, group.decodeScalar(share.secret)] as const);
  const secret = group.encodeScalar(interpolateAtZero(new Map(shares), group.order));
  return verified({ keyId, keyType, publicKey, secret, chainCode, derivedFrom: undefined, isMaster });
}

/** @throws {Error} if it is not the key of its public key */
function verified(key: RecoveredKey): RecoveredKey {
  const group = groupOf(keyTypes[key.keyType].curve);
  if (equal(group.encodePoint(group.multiplyBase(group.decodeScalar(key.secret))), key.publicKey)) return key;
  throw new Error(`the shares of key ${key.keyId} do not make the key of its public key: one of the backups is false`);
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
