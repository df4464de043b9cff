/** What formats ask of their target and their bytes, in words that are the same for every chain. @module */

import { fromHex } from '../base/bytes.ts';
import { assert, Refusal } from '../base/errors.ts';
import type { Target } from './chain.ts';
import type { BlockchainKind } from './networks.ts';

/**
 * @param why what of the network is signed: 'the network passphrase is part of what is signed'
 * @throws {Refusal} BadRequest when only the family was named
 */
export function requireNetwork<K extends BlockchainKind>({ network }: Target<K>, why: string): NonNullable<Target<K>['network']> {
  if (network !== undefined) return network;
  throw new Refusal('BadRequest', `network is required here, blockchainKind alone does not do: ${why}`);
}

/** Hex that the request schema has checked. */
export function bytesOf(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  assert(bytes, 'the schema let only hex through');
  return bytes;
}

/** @throws {Refusal} BadRequest for what `decode` throws, saying that it is not `what` */
export function decoding<T>(what: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw new Refusal('BadRequest', `expected ${what}${cause instanceof Error && cause.message !== '' ? `: ${cause.message}` : ''}`, {
      cause,
    });
  }
}
