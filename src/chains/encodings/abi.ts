/**
 * Arguments of contract calls, in the strict encoding that compilers write: each dynamic value where the one before it ends, every padding
 * zero, nothing after the last. Contracts read more than that, so what is encoded otherwise is not understood here.
 *
 * Sources: https://docs.soliditylang.org/en/latest/abi-spec.html
 * @module
 */

import { toBigInt } from '../../base/bytes.ts';

const wordBytes = 32;

/** By position. */
export interface Arguments {
  /** 20 bytes. */
  address(index: number): Uint8Array;
  number(index: number): bigint;
  numbers(index: number): readonly bigint[];
  flag(index: number): boolean;
}

type Value = bigint | boolean | Uint8Array | readonly bigint[];

/**
 * @param types of `address`, `uint256`, `uint8`, `bool`, `bytes32`, `bytes`, `uint256[]`
 * @throws {Error} for what is encoded otherwise
 */
export function decodeArguments(types: readonly string[], bytes: Uint8Array): Arguments {
  let end = types.length * wordBytes; // of what has been read of the dynamic part

  function word(at: number): Uint8Array {
    if (at + wordBytes > bytes.length) throw new Error('the arguments are cut off');
    return bytes.subarray(at, at + wordBytes);
  }

  /** Moves the end, and says where the content begins. */
  function tailOf(offset: bigint, unitBytes: number): { from: number; count: number } {
    if (offset !== BigInt(end)) throw new Error('an argument does not begin where the one before it ends');
    const count = toBigInt(word(end));
    if (count > BigInt(bytes.length)) throw new Error('an argument is cut off');
    const from = end + wordBytes;
    end = from + Math.ceil((Number(count) * unitBytes) / wordBytes) * wordBytes;
    if (end > bytes.length) throw new Error('an argument is cut off');
    return { from, count: Number(count) };
  }

  function read(type: string, index: number): Value {
    const head = word(index * wordBytes);
    const number = toBigInt(head);
    switch (type) {
      case 'address':
        requireZero(head.subarray(0, 12));
        return head.subarray(12);
      case 'uint256':
        return number;
      case 'uint8':
        if (number >= 256n) throw new Error('a uint8 is above 255');
        return number;
      case 'bool':
        if (number > 1n) throw new Error('a bool is neither 0 nor 1');
        return number === 1n;
      case 'bytes32':
        return head;
      case 'bytes': {
        const { from, count } = tailOf(number, 1);
        requireZero(bytes.subarray(from + count, end));
        return bytes.subarray(from, from + count);
      }
      case 'uint256[]': {
        const { from, count } = tailOf(number, wordBytes);
        return Array.from({ length: count }, (_, i) => toBigInt(word(from + i * wordBytes)));
      }
      default:
        throw new Error(`arguments of type ${type} are not read here`);
    }
  }

  const values = types.map(read);
  if (end !== bytes.length) throw new Error('bytes come after the arguments');
  return {
    address: (index) => as(values[index], (value) => value instanceof Uint8Array) as Uint8Array,
    number: (index) => as(values[index], (value) => typeof value === 'bigint') as bigint,
    numbers: (index) => as(values[index], (value) => Array.isArray(value)) as readonly bigint[],
    flag: (index) => as(values[index], (value) => typeof value === 'boolean') as boolean,
  };
}

function as(value: Value | undefined, isOf: (value: Value) => boolean): Value {
  if (value === undefined || !isOf(value)) throw new Error('the argument is of another type');
  return value;
}

function requireZero(padding: Uint8Array): void {
  if (padding.some((byte) => byte !== 0)) throw new Error('padding is not zero');
}
