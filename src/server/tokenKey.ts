/** The Ed25519 key that signs the service's tokens: made at the first start. It signs no transaction. @module */

import type { KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createKeyFile, readKeyFile } from './keyFile.ts';

/** @throws {Error} if the file is no Ed25519 key, or readable by others */
export function tokenKeyOf(file: string): KeyObject {
  return existsSync(file) ? readKeyFile(file) : createKeyFile(file);
}
