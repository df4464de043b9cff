/** What opens a backup, from the files that a command line names. @module */

import { readFileSync } from 'node:fs';
import { messageOf } from '../base/errors.ts';
import { requirePrivate } from '../files.ts';
import type { Openers } from '../signer/backup/format.ts';

const newline = 0x0a;

export function readOpeners({
  recoveryKeys,
  passphraseFiles,
}: {
  recoveryKeys: readonly string[];
  passphraseFiles: readonly string[];
}): Openers {
  return { recoveryKeys: recoveryKeys.map((file) => readPrivate(file).toString('utf8')), passphrases: passphraseFiles.map(readPassphrase) };
}

/** @param file may be a pipe; the newline at its end does not count */
export function readPassphrase(file: string): Uint8Array {
  const bytes = readPrivate(file);
  return new Uint8Array(bytes.at(-1) === newline ? bytes.subarray(0, -1) : bytes);
}

/** @throws {Error} naming the file, when it cannot be read, or can be by others */
function readPrivate(file: string): Buffer {
  try {
    requirePrivate(file);
    return readFileSync(file);
  } catch (error) {
    throw new Error(`${file}: ${messageOf(error)}`);
  }
}
