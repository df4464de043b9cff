/**
 * CashAddr: base32 with a prefix and a checksum of 40 bits. Bitcoin Cash and Kaspa write their addresses so.
 *
 * Source: https://github.com/bitcoincashorg/bitcoincash.org/blob/master/spec/cashaddr.md
 * @module
 */

import { bech32 } from '@scure/base';

const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const generators = [0x98f2bc8e61n, 0x79b76d99e2n, 0xf33e5fb3c4n, 0xae2eabe2a8n, 0x1e4f43e470n] as const;

/** @param version the byte before the payload: of what kind it is, and, in Bitcoin Cash, how long */
export function cashAddress(prefix: string, version: number, payload: Uint8Array): string {
  const data = bech32.toWords(Uint8Array.from([version, ...payload]));
  const lowered = Array.from(prefix, (character) => character.charCodeAt(0) & 0x1f);
  const checksum = polymod([...lowered, 0, ...data, 0, 0, 0, 0, 0, 0, 0, 0]);
  const checked = Array.from({ length: 8 }, (_, i) => Number((checksum >> BigInt(5 * (7 - i))) & 31n));
  return `${prefix}:${[...data, ...checked].map((word) => alphabet[word]).join('')}`;
}

function polymod(values: readonly number[]): bigint {
  let c = 1n;
  for (const value of values) {
    const top = c >> 35n;
    c = ((c & 0x07ffffffffn) << 5n) ^ BigInt(value);
    for (const [i, generator] of generators.entries()) if ((top >> BigInt(i)) & 1n) c ^= generator;
  }
  return c ^ 1n;
}
