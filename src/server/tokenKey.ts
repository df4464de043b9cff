/** The Ed25519 key that signs the service's tokens: a PEM file, made at the first start. It signs no transaction. @module */

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { writeDurably } from './files.ts';

/** @throws {Error} if the file is no Ed25519 key, or readable by others */
export function tokenKeyOf(file: string): KeyObject {
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    writeDurably(file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
    return privateKey;
  }
  if ((statSync(file).mode & 0o077) !== 0) throw new Error(`${file} is readable by others; make it mode 0600`);
  const key = createPrivateKey(readFileSync(file));
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${file} must be an Ed25519 private key, it is ${key.asymmetricKeyType}`);
  return key;
}
