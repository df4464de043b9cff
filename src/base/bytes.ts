/**
 * Bytes and their texts. Hex and base64url appear on the wire only; inside, bytes are `Uint8Array`.
 * @module
 */

/** Lower-case hex without prefix. */
export function toHex(bytes: Uint8Array): string {
  return view(bytes).toString('hex');
}

/** Hex as the wire shows signature parts and signed data: with the `0x` prefix. */
export function to0x(bytes: Uint8Array): string {
  return `0x${toHex(bytes)}`;
}

/**
 * Reads hex of even length, any case, with or without `0x`.
 * @returns the bytes, or undefined when the text is not hex
 */
export function fromHex(text: string): Uint8Array | undefined {
  const digits = text.startsWith('0x') || text.startsWith('0X') ? text.slice(2) : text;
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return undefined;
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

/** base64url without padding (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  return view(bytes).toString('base64url');
}

/**
 * Reads base64url, padding accepted.
 * @returns the bytes, or undefined when the text has other characters or a dangling one
 */
export function fromBase64Url(text: string): Uint8Array | undefined {
  const digits = text.replace(/={1,2}$/, '');
  if (digits.length % 4 === 1 || !/^[A-Za-z0-9_-]*$/.test(digits)) return undefined;
  return new Uint8Array(Buffer.from(digits, 'base64url'));
}

/** Standard base64 with padding (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  return view(bytes).toString('base64');
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Variable time: for public values only. Secrets are compared with `timingSafeEqual`. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Big-endian, four bytes. */
export function u32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value);
  return out;
}

/** Each part behind its length (four bytes, big-endian), so that no two lists of parts give the same bytes. */
export function lengthPrefixed(...parts: readonly Uint8Array[]): Uint8Array {
  return concat(...parts.flatMap((part) => [u32(part.length), part]));
}

/** Big-endian unsigned integer. Variable time. */
export function toBigInt(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);
}

/** Big-endian, left padded to `length` bytes. @throws {RangeError} if it does not fit */
export function fromBigInt(value: bigint, length: number): Uint8Array {
  const digits = value.toString(16).padStart(2 * length, '0');
  if (value < 0n || digits.length > 2 * length) throw new RangeError(`the number does not fit ${length} bytes`);
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

/** The same memory as a Buffer: no copy. */
function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
