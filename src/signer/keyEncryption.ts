/** The key-encryption key of a signer: 32 random bytes in a file of its own, readable by the signer's user alone. @module */

import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const fileOf = (dataDir: string) => join(dataDir, 'key-encryption.key');

export function hasKeyEncryptionKey(dataDir: string): boolean {
  return existsSync(fileOf(dataDir));
}

/** @throws {Error} if one is there already: replacing it would lose every share */
export function createKeyEncryptionKey(dataDir: string): Uint8Array {
  const key = new Uint8Array(randomBytes(32));
  const file = openSync(fileOf(dataDir), 'wx', 0o600);
  try {
    writeSync(file, key);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return key;
}

/** @throws {Error} if it is missing, of a wrong length, or readable by others */
export function readKeyEncryptionKey(dataDir: string): Uint8Array {
  const path = fileOf(dataDir);
  if (!existsSync(path)) throw new Error(`${path} is missing: without it the shares of this signer cannot be opened`);
  if ((statSync(path).mode & 0o077) !== 0) throw new Error(`${path} is readable by others; make it mode 0600`);
  const key = new Uint8Array(readFileSync(path));
  if (key.length !== 32) throw new Error(`${path} must hold 32 bytes, it holds ${key.length}`);
  return key;
}
