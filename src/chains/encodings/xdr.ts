/**
 * External data representation (RFC 4506), as readers that are put together: strict, so that what was read has no other encoding. Booleans
 * are 0 or 1, padding is zero, lengths are within their bounds.
 * @module
 */

import { type Reader, readerOf } from './reader.ts';

/** Reads one value. @throws {Error} saying what is malformed */
export type Xdr<T> = (reader: Cursor) => T;

/** Where reading stands, and how deep. */
export interface Cursor extends Reader {
  depth: number;
}

const maxDepth = 64;

/** Reads all of the bytes. @throws {Error} */
export function readXdr<T>(bytes: Uint8Array, type: Xdr<T>): T {
  const reader = Object.assign(readerOf(bytes), { depth: 0 });
  const value = type(reader);
  reader.end();
  return value;
}

export const u32: Xdr<number> = (reader) => reader.u32();
export const u64: Xdr<bigint> = (reader) => reader.u64();
export const i64: Xdr<bigint> = (reader) => BigInt.asIntN(64, reader.u64());
export const nothing: Xdr<undefined> = () => undefined;

export const bool: Xdr<boolean> = (reader) => {
  const value = reader.u32();
  if (value > 1) throw new Error(`${value} is neither true nor false`);
  return value === 1;
};

/** Opaque data of a fixed length. */
export const opaque =
  (length: number): Xdr<Uint8Array> =>
  (reader) => {
    const bytes = reader.take(length);
    if (reader.take((4 - (length % 4)) % 4).some((byte) => byte !== 0)) throw new Error('padding is not zero');
    return bytes;
  };

/** Opaque data or a string, of up to so many bytes. */
export const variable =
  (most: number): Xdr<Uint8Array> =>
  (reader) => {
    const length = reader.u32();
    if (length > most) throw new Error(`${length} bytes where ${most} may be`);
    return opaque(length)(reader);
  };

export const list =
  <T>(item: Xdr<T>, most: number): Xdr<readonly T[]> =>
  (reader) => {
    const length = reader.u32();
    if (length > most) throw new Error(`${length} items where ${most} may be`);
    // Every item of a list has four bytes at least.
    if (length * 4 > reader.left) throw new Error(`${length} items are cut off`);
    return Array.from({ length }, () => item(reader));
  };

export const optional =
  <T>(item: Xdr<T>): Xdr<T | undefined> =>
  (reader) =>
    bool(reader) ? item(reader) : undefined;

type Fields = Readonly<Record<string, Xdr<unknown>>>;
type ValueOf<X> = X extends Xdr<infer T> ? T : never;

/** In the order of its members. */
export const struct =
  <F extends Fields>(fields: F): Xdr<{ readonly [K in keyof F]: ValueOf<F[K]> }> =>
  (reader) =>
    // Each name with what its own reader gives: the cast says no more.
    Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, type(reader)])) as { [K in keyof F]: ValueOf<F[K]> };

/** By its discriminant. */
export const union =
  <A extends Readonly<Record<number, Xdr<unknown>>>>(
    arms: A,
  ): Xdr<{ [K in keyof A & number]: { readonly type: K; readonly value: ValueOf<A[K]> } }[keyof A & number]> =>
  (reader) => {
    const type = reader.u32();
    const arm = arms[type];
    if (arm === undefined) throw new Error(`${type} is none of ${Object.keys(arms).join(', ')}`);
    // The discriminant picks the arm, and so the type.
    return { type, value: arm(reader) } as ReturnType<ReturnType<typeof union<A>>>;
  };

/** A type that contains itself: named when it is read, and bounded in depth. */
export const nested =
  <T>(type: () => Xdr<T>): Xdr<T> =>
  (reader) => {
    if (++reader.depth > maxDepth) throw new Error(`it is nested deeper than ${maxDepth}`);
    const value = type()(reader);
    reader.depth -= 1;
    return value;
  };
