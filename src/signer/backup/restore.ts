/**
 * A signer out of its backup, in a directory that is complete under its name or not there. It gets a key-encryption key of its own. What it
 * must not do with its old memory it does not: authorisations made before its start are refused (there is no memory of what was signed,
 * `replayMemory.ts`), and until others have witnessed its log it takes part in nothing (`witness.ts`).
 * @module
 */

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { seal } from '../../crypto/seal.ts';
import { syncDirectory, writeDurably } from '../../files.ts';
import { pinnedClusterFile } from '../contract.ts';
import { publicSignerOf, readIdentity } from '../identity.ts';
import { writeInstance } from '../instance.ts';
import { keyBytes, writeKeyFile } from '../keyEncryption/keyFile.ts';
import { wrap } from '../keyEncryption/open.ts';
import type { KeyEncryptionSettings } from '../keyEncryption/settings.ts';
import { addSecret } from '../secrets.ts';
import { shareBinding } from '../shares.ts';
import { openSignerStore, type SignerStore } from '../store.ts';
import { markReturned } from '../witness.ts';
import type { Header, Openers } from './format.ts';
import { type Backup, openBackup } from './read.ts';

export interface RestoreRequest {
  /** Not there yet, or empty. */
  readonly dataDir: string;
  readonly settings: KeyEncryptionSettings;
  readonly from: string;
  readonly openers: Openers;
  /** Whether other signers are there to tell what this one may have forgotten; without, its operator answers for that. */
  readonly isWitnessed: boolean;
  /** A standby's directory, which does not act. */
  readonly isStandby?: boolean;
  readonly clock: Clock;
}

/** @returns what the backup says of itself @throws {Error} leaving nothing behind */
export async function restoreSigner({
  dataDir,
  settings,
  from,
  openers,
  isWitnessed,
  isStandby = false,
  clock,
}: RestoreRequest): Promise<Header> {
  const place = resolve(dataDir);
  if (existsSync(place) && readdirSync(place).length > 0) throw new Error(`${dataDir} is there already, and not empty`);
  const backup = await openBackup(from, openers);
  mkdirSync(dirname(place), { recursive: true, mode: 0o700 });
  const beside = mkdtempSync(`${place}.restoring-`);
  try {
    const { clusterId, signerId } = backup.header;
    const key = new Uint8Array(randomBytes(keyBytes));
    const binding = { clusterId, signerId, generation: 1 };
    writeKeyFile(beside, await wrap(key, { provider: settings.provider, binding, settings }));
    const store = openSignerStore(beside);
    try {
      store.log.atomically(() => fill(store, key, { backup, directory: beside }));
      if (publicSignerOf(readIdentity(store, key)).signerId !== signerId) throw new Error(`${from}: it has the identity of another signer`);
      if (isStandby) writeInstance(store, key, { kind: 'standby' });
      else if (isWitnessed) markReturned(store, key, Math.floor(clock() / 1000));
    } finally {
      store.close();
      key.fill(0);
    }
    if (existsSync(place)) rmdirSync(place);
    renameSync(beside, place);
    syncDirectory(dirname(place));
    return backup.header;
  } finally {
    backup.close();
    rmSync(beside, { recursive: true, force: true });
  }
}

function fill(store: SignerStore, key: Uint8Array, { backup, directory }: { backup: Backup; directory: string }): void {
  const { signerId, clusterId } = backup.header;
  for (const line of backup.lines()) {
    switch (line.kind) {
      case 'cluster':
        if (line.cluster.clusterId !== clusterId) throw new Error(`${backup.file}: its cluster is another than it says`);
        writeDurably(join(directory, pinnedClusterFile), `${JSON.stringify(line.cluster, null, 2)}\n`, 0o600);
        break;
      case 'secret':
        addSecret(store, key, line);
        line.plain.fill(0);
        break;
      case 'share': {
        const { kind: _, keyId, plain, ...clear } = line;
        store.addShare(keyId, { ...clear, sealed: seal(key, plain, shareBinding(signerId, { keyId, ...clear })) });
        plain.fill(0);
        break;
      }
      case 'entry': {
        const { kind: _, ...entry } = line;
        store.log.add([entry]);
        break;
      }
    }
  }
}
