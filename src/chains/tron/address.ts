/** Addresses as Tron writes them: base58check of 0x41 and Ethereum's 20 bytes. @module */

import { sha256 } from '@noble/hashes/sha2.js';
import { createBase58check } from '@scure/base';
import { concat } from '../../base/bytes.ts';

const prefix = 0x41;
const accountBytes = 20;
const base58check = createBase58check(sha256);

export function addressOfAccount(account: Uint8Array): string {
  return base58check.encode(concat(Uint8Array.of(prefix), account));
}

/** The 20 bytes behind the prefix. @throws {Error} */
export function accountIn(address: Uint8Array | undefined, what: string): Uint8Array {
  if (address?.length !== 1 + accountBytes || address[0] !== prefix) throw new Error(`its ${what} is no address of Tron`);
  return address.subarray(1);
}
