/** Argon2id (RFC 9106): Node's own where its OpenSSL has it (3.2 and later), noble's elsewhere, which takes some ten times as long. @module */

import * as nodeCrypto from 'node:crypto';
import { argon2idAsync } from '@noble/hashes/argon2.js';

export interface Argon2idCost {
  /** m, in KiB. */
  readonly memoryKiB: number;
  /** t */
  readonly passes: number;
  /** p */
  readonly lanes: number;
}

const keyBytes = 32;

/** @returns 32 bytes */
export async function argon2id(passphrase: Uint8Array, salt: Uint8Array, cost: Argon2idCost): Promise<Uint8Array> {
  return 'argon2Sync' in nodeCrypto ? native(passphrase, salt, cost) : portable(passphrase, salt, cost);
}

export function native(passphrase: Uint8Array, salt: Uint8Array, { memoryKiB, passes, lanes }: Argon2idCost): Promise<Uint8Array> {
  const options = { message: passphrase, nonce: salt, parallelism: lanes, tagLength: keyBytes, memory: memoryKiB, passes };
  return new Promise((resolve, reject) => {
    nodeCrypto.argon2('argon2id', options, (error, key) => (error ? reject(error) : resolve(new Uint8Array(key))));
  });
}

export function portable(passphrase: Uint8Array, salt: Uint8Array, { memoryKiB, passes, lanes }: Argon2idCost): Promise<Uint8Array> {
  const maxmem = 2 ** 32 - 1;
  return argon2idAsync(passphrase, salt, { t: passes, m: memoryKiB, p: lanes, dkLen: keyBytes, maxmem });
}
