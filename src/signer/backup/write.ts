/**
 * Backing up a signer, while it runs or not: what was committed at one moment, unsealed here and sealed for the recipients alone, so that
 * no copy of the key-encryption key is needed to get it back. Read again before it has its name: a backup that nobody has read is none.
 * @module
 */

import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { unseal } from '../../crypto/seal.ts';
import { renameDurably } from '../../files.ts';
import { clusterFile, pinnedClusterFile } from '../contract.ts';
import { publicSignerOf, readIdentity, signatureBy } from '../identity.ts';
import { readInstance } from '../instance.ts';
import { exclusively } from '../keyEncryption/exclusively.ts';
import { openKeyEncryptionKey } from '../keyEncryption/open.ts';
import type { KeyEncryptionSettings } from '../keyEncryption/settings.ts';
import { readSecret } from '../secrets.ts';
import { shareBinding } from '../shares.ts';
import { readSignerStore, type SignerSnapshot } from '../store.ts';
import {
  type About,
  backedUpSecrets,
  bindingOf,
  digesting,
  endMessage,
  type Header,
  type Recipients,
  recipientsFor,
  textOf,
} from './format.ts';
import { linesOf } from './read.ts';
import { writeSealedLines } from './sealedLines.ts';

export interface BackupRequest {
  readonly dataDir: string;
  readonly settings: KeyEncryptionSettings;
  /** Not there yet. */
  readonly to: string;
  readonly recipients: Recipients;
  readonly clock: Clock;
}

/** @returns what the backup says of itself @throws {Error} leaving nothing behind */
export async function backUpSigner({ dataDir, settings, to, recipients, clock }: BackupRequest): Promise<Header> {
  if (existsSync(to)) throw new Error(`${to} is there already`);
  using _ = exclusively(dataDir); // the key does not change meanwhile
  const keyEncryptionKey = await openKeyEncryptionKey(dataDir, settings);
  const store = readSignerStore(dataDir);
  const dataKey = new Uint8Array(randomBytes(32));
  const beside = `${to}.${process.pid}.new`;
  try {
    if (readInstance(store, keyEncryptionKey).kind !== 'acting')
      throw new Error(`${dataDir} is not of a signer that acts: that one is backed up`);
    const about = aboutOf(dataDir, { store, keyEncryptionKey, clock });
    const written: Header = { ...about, recipients: await recipientsFor(dataKey, recipients, about) };
    const text = textOf(written);
    const file = openSync(beside, 'wx', 0o600);
    try {
      writeSync(file, `${text}\n`);
      writeSealedLines(file, signedLines(dataDir, { store, keyEncryptionKey, about, text }), { key: dataKey, aad: bindingOf(text) });
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    for (const _read of linesOf({ file: beside, text, parsed: written, key: dataKey }));
    renameDurably(beside, to);
    return written;
  } finally {
    for (const secret of [keyEncryptionKey, dataKey]) secret.fill(0);
    store.close();
    rmSync(beside, { force: true });
  }
}

interface Opened {
  readonly store: SignerSnapshot;
  readonly keyEncryptionKey: Uint8Array;
}

function aboutOf(dataDir: string, { store, keyEncryptionKey, clock }: Opened & { clock: Clock }): About {
  return {
    format: 'countersign/signer-backup',
    version: 1,
    clusterId: pinned(dataDir).clusterId,
    signerId: publicSignerOf(readIdentity(store, keyEncryptionKey)).signerId,
    createdAt: Math.floor(clock() / 1000),
    ...store.count(),
  };
}

function pinned(dataDir: string) {
  return clusterFile.parse(JSON.parse(readFileSync(join(dataDir, pinnedClusterFile), 'utf8')));
}

function* signedLines(dataDir: string, opened: Opened & { about: About; text: string }): Generator<string> {
  const { about, text, store, keyEncryptionKey } = opened;
  const digest = digesting(text);
  for (const line of linesFrom(dataDir, opened)) {
    digest.update(`${line}\n`);
    yield line;
  }
  const sign = signatureBy(readIdentity(store, keyEncryptionKey));
  yield textOf({ kind: 'end', signature: sign(endMessage(about, new Uint8Array(digest.digest()))) });
}

function* linesFrom(dataDir: string, { store, keyEncryptionKey, about }: Opened & { about: About }): Generator<string> {
  yield textOf({ kind: 'cluster', cluster: pinned(dataDir) });
  for (const name of backedUpSecrets) {
    const plain = readSecret(store, keyEncryptionKey, name);
    if (plain === undefined) continue;
    yield textOf({ kind: 'secret', name, plain });
    plain.fill(0);
  }
  for (const { sealed, ...share } of store.shares()) {
    const plain = unseal(keyEncryptionKey, sealed, shareBinding(about.signerId, { ...share }));
    yield textOf({ kind: 'share', ...share, plain });
    plain.fill(0);
  }
  for (const { sequence, text, vouchers } of store.log.all()) yield textOf({ kind: 'entry', sequence, text, vouchers });
}
