/** Unsigned integers, the lowest byte first. @module */

/** Of `value`, the lowest `length` bytes. */
export function littleEndian(value: bigint | number, length: number): Uint8Array {
  const whole = BigInt(value);
  return Uint8Array.from({ length }, (_, i) => Number((whole >> BigInt(8 * i)) & 0xffn));
}
