/**
 * RLP, Ethereum's serialisation: strict, so that every value has one encoding and what is read and written again is what came.
 *
 * Sources: Ethereum yellow paper, appendix B; https://ethereum.org/developers/docs/data-structures-and-encoding/rlp
 * @module
 */

import { concat, fromBigInt, toBigInt } from '../../base/bytes.ts';

export type RlpItem = Uint8Array | readonly RlpItem[];

/** The deepest that is signed is the storage key of an access list: four. */
const maxDepth = 8;
const maxItems = 20_000;

/** Up to 55 bytes the length stands in the first byte; above, the length of the length does. */
const maxShortLength = 55;
const firstBytes = { string: 0x80, list: 0xc0 } as const;

/** @throws {Error} unless it is one item, whole, in its canonical encoding */
export function decodeRlp(bytes: Uint8Array): RlpItem {
  let items = 0;

  /** The item at `at`, and where it ends. */
  function itemAt(at: number, end: number, depth: number): { item: RlpItem; next: number } {
    if (++items > maxItems) throw new Error(`there are more than ${maxItems} items`);
    const first = bytes[at];
    if (first === undefined || at >= end) throw new Error('an item is cut off');
    if (first < firstBytes.string) return { item: bytes.subarray(at, at + 1), next: at + 1 };
    const base = first < firstBytes.list ? firstBytes.string : firstBytes.list;
    const { from, to } = extent(at, first - base, end);
    if (base === firstBytes.list) return { item: listIn(from, to, depth + 1), next: to };
    if (to - from === 1 && (bytes[from] ?? 0) < firstBytes.string) throw new Error(`the byte at ${from} needs no length before it`);
    return { item: bytes.subarray(from, to), next: to };
  }

  function extent(at: number, code: number, end: number): { from: number; to: number } {
    const lengthBytes = Math.max(0, code - maxShortLength);
    const from = at + 1 + lengthBytes;
    if (from > end) throw new Error(`the length at ${at} is cut off`);
    const length = lengthBytes === 0 ? code : longLength(bytes.subarray(at + 1, from), at);
    if (length > end - from) throw new Error(`the item at ${at} has ${length} bytes, of which ${end - from} are there`);
    return { from, to: from + length };
  }

  function listIn(from: number, to: number, depth: number): readonly RlpItem[] {
    if (depth > maxDepth) throw new Error(`lists are nested deeper than ${maxDepth}`);
    const list: RlpItem[] = [];
    for (let at = from; at < to; ) {
      const { item, next } = itemAt(at, to, depth);
      list.push(item);
      at = next;
    }
    return list;
  }

  const { item, next } = itemAt(0, bytes.length, 0);
  if (next !== bytes.length) throw new Error(`${bytes.length - next} bytes come after its end`);
  return item;
}

function longLength(digits: Uint8Array, at: number): number {
  const length = toBigInt(digits);
  if (digits[0] === 0 || length <= BigInt(maxShortLength)) throw new Error(`the length at ${at} is not as short as it can be`);
  return length > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(length);
}

export function encodeRlp(item: RlpItem): Uint8Array {
  if (!(item instanceof Uint8Array)) return withLength(firstBytes.list, concat(...item.map(encodeRlp)));
  const [first = firstBytes.string] = item;
  return item.length === 1 && first < firstBytes.string ? item : withLength(firstBytes.string, item);
}

function withLength(base: number, content: Uint8Array): Uint8Array {
  if (content.length <= maxShortLength) return concat(Uint8Array.of(base + content.length), content);
  const digits = rlpInteger(BigInt(content.length));
  return concat(Uint8Array.of(base + maxShortLength + digits.length), digits, content);
}

/** Big-endian and as short as it can be: zero is no bytes. */
export function rlpInteger(value: bigint): Uint8Array {
  return value === 0n ? new Uint8Array(0) : fromBigInt(value, Math.ceil(value.toString(16).length / 2));
}

/** @throws {Error} unless the item is an integer of at most so many bits, as `rlpInteger` writes it */
export function integerIn(item: RlpItem, bits: number): bigint {
  const bytes = stringIn(item);
  if (bytes[0] === 0) throw new Error('it has leading zeros');
  if (bytes.length > bits / 8) throw new Error(`it has more than ${bits} bits`);
  return toBigInt(bytes);
}

/** @throws {Error} unless the item is a string of bytes */
export function stringIn(item: RlpItem): Uint8Array {
  if (!(item instanceof Uint8Array)) throw new Error('it is a list, bytes are due');
  return item;
}

/** @throws {Error} unless the item is a list */
export function listIn(item: RlpItem): readonly RlpItem[] {
  if (item instanceof Uint8Array) throw new Error('it is bytes, a list is due');
  return item;
}
