/** Reads bytes from front to back, never beyond their end. Big-endian, unless a name says `le`. @module */

export interface Reader {
  /** How many are left. */
  readonly left: number;
  /** @throws {Error} when fewer are left */
  take(length: number): Uint8Array;
  /** One byte. @throws {Error} */
  u8(): number;
  /** Four bytes. @throws {Error} */
  u32(): number;
  /** Eight bytes. @throws {Error} */
  u64(): bigint;
  /** Four bytes, eight: the lowest first. @throws {Error} */
  u32le(): number;
  u64le(): bigint;
  /** @throws {Error} when something is left */
  end(): void;
}

export function readerOf(bytes: Uint8Array): Reader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const advance = (length: number): number => {
    if (length > bytes.length - at) throw new Error(`it is cut off: ${length} bytes are due at byte ${at}, ${bytes.length - at} are there`);
    at += length;
    return at - length;
  };
  return {
    get left() {
      return bytes.length - at;
    },
    take(length) {
      const from = advance(length);
      return bytes.subarray(from, from + length);
    },
    u8: () => view.getUint8(advance(1)),
    u32: () => view.getUint32(advance(4)),
    u64: () => view.getBigUint64(advance(8)),
    u32le: () => view.getUint32(advance(4), true),
    u64le: () => view.getBigUint64(advance(8), true),
    end() {
      if (at < bytes.length) throw new Error(`${bytes.length - at} bytes are left over behind its end`);
    },
  };
}
