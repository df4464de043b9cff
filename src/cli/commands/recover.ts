/**
 * `countersign recover …`: private keys, whole, from the backups of t + 1 signers (docs/backups.md). For a machine that has no network and
 * will not have one: nothing here opens a connection.
 * @module
 */

import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { toHex } from '../../base/bytes.ts';
import { newRecoveryKey } from '../../crypto/recoveryKey.ts';
import { writeDurably } from '../../files.ts';
import type { Openers } from '../../signer/backup/format.ts';
import { type Backup, openBackup } from '../../signer/backup/read.ts';
import { type RecoveredKey, type Recovery, recoverKeys } from '../../signer/recoverKeys.ts';
import { keyForms } from '../keyForms.ts';
import { readOpeners } from '../openers.ts';
import { required } from '../options.ts';

export async function recover(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      key: { type: 'string', multiple: true },
      'recovery-key': { type: 'string', multiple: true, default: [] },
      'passphrase-file': { type: 'string', multiple: true, default: [] },
    },
  });
  const out = required(values.out, '--out');
  if (existsSync(out)) throw new Error(`${out} is there already`);
  if (positionals[0] === 'key' && positionals.length === 1) return makeRecoveryKey(out);

  const openers = readOpeners({ recoveryKeys: values['recovery-key'], passphraseFiles: values['passphrase-file'] });
  const recovery = recoverKeys(await openAll(positionals, openers), values.key);
  writeDurably(out, `${JSON.stringify(formOf(recovery), null, 2)}\n`, 0o600);
  console.log(
    `${warning(out, recovery.keys.length)}\n${recovery.keys.map(({ keyId, publicKey }) => `  ${keyId}  ${toHex(publicKey)}`).join('\n')}`,
  );
}

async function openAll(files: readonly string[], openers: Openers): Promise<Backup[]> {
  const opened: Backup[] = [];
  for (const file of files) opened.push(await openBackup(file, openers)); // one after the other: a passphrase takes its memory
  return opened;
}

function makeRecoveryKey(out: string): void {
  const { privateKey, publicKey } = newRecoveryKey();
  writeDurably(out, privateKey, 0o600);
  process.stdout.write(publicKey);
}

function formOf({ clusterId, keys }: Recovery) {
  return { format: 'countersign/recovered-keys', version: 1, clusterId, keys: keys.map(keyForm) };
}

function keyForm(key: RecoveredKey) {
  const { keyId, keyType, publicKey, chainCode, derivedFrom } = key;
  return {
    keyId,
    keyType,
    publicKey: toHex(publicKey),
    chainCode: toHex(chainCode),
    ...(derivedFrom && { derivedFrom }),
    privateKey: keyForms(key),
  };
}

function warning(out: string, count: number): string {
  return `WARNING: ${out} holds ${count === 1 ? 'a private key' : `${count} private keys`}, WHOLE.
Whoever reads the file signs alone: no signer, no policy and no log stands in the way. The shares that the cluster holds are worth
nothing as a protection any more. Move what these keys hold to new keys, and destroy the file, and this machine's disk with it.
Each is the key of its public key:`;
}
