/** Ed25519 private keys in PEM files (PKCS#8), readable by their user alone. @module */

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { writeDurably } from '../files.ts';

/** @throws {Error} if there is a file of this name */
export function createKeyFile(file: string): KeyObject {
  if (existsSync(file)) throw new Error(`${file} is there already`);
  const { privateKey } = generateKeyPairSync('ed25519');
  writeDurably(file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
  return privateKey;
}

/** @throws {Error} if the file is missing, no Ed25519 key, or readable by others */
export function readKeyFile(file: string): KeyObject {
  if (!existsSync(file)) throw new Error(`there is no key file at ${file}`);
  if ((statSync(file).mode & 0o077) !== 0) throw new Error(`${file} is readable by others; make it mode 0600`);
  const key = createPrivateKey(readFileSync(file));
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${file} must be an Ed25519 private key, it is ${key.asymmetricKeyType}`);
  return key;
}
