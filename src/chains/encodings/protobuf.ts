/**
 * Protocol buffers as signed bytes have them: strict, so that what was read and written again is what came.
 *
 * A varint has no superfluous byte, a field number is not zero, groups and unknown wire types are refused. Nothing is skipped: whoever
 * reads a message names the fields it may have (`messageOf`).
 *
 * Sources: https://protobuf.dev/programming-guides/encoding
 * @module
 */

import { concat } from '../../base/bytes.ts';

/** `bigint` for varints, bytes for whatever has a length. Numbers of a fixed size are in no message that is read here. */
export type FieldValue = bigint | Uint8Array;

export interface Field {
  readonly number: number;
  readonly value: FieldValue;
}

const wireTypes = { varint: 0, bytes: 2 } as const;
const maxFields = 10_000;
const maxVarintBytes = 10;

/** The fields in their order. @throws {Error} saying what is malformed, and where */
export function fieldsOf(bytes: Uint8Array): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;

  function varint(): bigint {
    let value = 0n;
    for (let i = 0; i < maxVarintBytes; i++) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('a number is cut off');
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte >= 0x80) continue;
      if (i > 0 && byte === 0) throw new Error(`the number before byte ${at} has a superfluous byte`);
      if (value >= 2n ** 64n) break;
      return value;
    }
    throw new Error(`the number before byte ${at} has more than 64 bits`);
  }

  function take(length: bigint): Uint8Array {
    if (length > BigInt(bytes.length - at)) throw new Error(`a field of ${length} bytes is cut off`);
    at += Number(length);
    return bytes.subarray(at - Number(length), at);
  }

  while (at < bytes.length) {
    if (fields.length >= maxFields) throw new Error(`there are more than ${maxFields} fields`);
    const tag = varint();
    const number = Number(tag >> 3n);
    if (number === 0 || number >= 2 ** 29) throw new Error(`${number} is no field number`);
    switch (Number(tag & 7n)) {
      case wireTypes.varint:
        fields.push({ number, value: varint() });
        break;
      case wireTypes.bytes:
        fields.push({ number, value: take(varint()) });
        break;
      default:
        throw new Error(`field ${number} is of a wire type that is not signed here`);
    }
  }
  return fields;
}

/** One message, its fields read by number. */
export interface Message {
  /** Of a number that may be there once; zero when it is absent. @throws {Error} */
  number(field: number): bigint;
  /** Of a field that may be there once; undefined when it is absent. @throws {Error} */
  bytes(field: number): Uint8Array | undefined;
  /** As `bytes`; empty when it is absent. @throws {Error} unless it is UTF-8 */
  text(field: number): string;
  /** Of a field that may be there many times. @throws {Error} */
  list(field: number): readonly Uint8Array[];
  /** Numbers that are there and are not among these. */
  unknown(known: readonly number[]): readonly number[];
}

/** @throws {Error} for what is malformed */
export function messageOf(bytes: Uint8Array): Message {
  const fields = fieldsOf(bytes);
  const all = (number: number) => fields.filter((field) => field.number === number).map(({ value }) => value);
  const one = (number: number): FieldValue | undefined => {
    const [value, ...others] = all(number);
    if (others.length > 0) throw new Error(`field ${number} is there more than once`);
    return value;
  };
  const asBytes = (number: number, value: FieldValue): Uint8Array => {
    if (typeof value === 'bigint') throw new Error(`field ${number} is a number, bytes are due`);
    return value;
  };
  const bytesAt = (number: number): Uint8Array | undefined => {
    const value = one(number);
    return value === undefined ? undefined : asBytes(number, value);
  };

  return {
    number(field) {
      const value = one(field) ?? 0n;
      if (typeof value !== 'bigint') throw new Error(`field ${field} is bytes, a number is due`);
      return value;
    },
    bytes: bytesAt,
    text: (field) => utf8Of(bytesAt(field) ?? new Uint8Array(0)),
    list: (field) => all(field).map((value) => asBytes(field, value)),
    unknown: (known) => [...new Set(fields.map(({ number }) => number))].filter((number) => !known.includes(number)),
  };
}

/**
 * A message as every library writes it: these fields and no others, in ascending order, none that has its default value. Chains that sign
 * what they have read and written again (Tron) take no other.
 * @throws {Error} for what is written otherwise
 */
export function canonicalMessageOf(bytes: Uint8Array, known: readonly number[]): Message {
  const message = messageOf(bytes);
  const [unknown] = message.unknown(known);
  if (unknown !== undefined) throw new Error(`it has an unknown field ${unknown}`);
  let last = 0;
  for (const { number, value } of fieldsOf(bytes)) {
    if (number < last) throw new Error(`field ${number} is behind field ${last}`);
    if (value === 0n || (typeof value !== 'bigint' && value.length === 0)) throw new Error(`field ${number} is there, and empty`);
    last = number;
  }
  return message;
}

/** @throws {Error} unless it is UTF-8 */
export function utf8Of(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** A field of bytes as it is appended to a message. */
export function bytesField(number: number, value: Uint8Array): Uint8Array {
  return concat(varintOf(BigInt(number) * 8n + BigInt(wireTypes.bytes)), varintOf(BigInt(value.length)), value);
}

function varintOf(value: bigint): Uint8Array {
  const out: number[] = [];
  let rest = value;
  do {
    out.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(out);
}
