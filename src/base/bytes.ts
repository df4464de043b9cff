/**
 * Bytes and their texts. Hex and base64url appear on the wire only; inside, bytes are `Uint8Array`. Browser-safe.
 * @module
 */

import { encodings } from './encodings.ts';

/** Lower-case hex without prefix. */
export function toHex(bytes: Uint8Array): string {
  return encodings.hex(bytes);
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
  return encodings.fromHex(digits);
}

/** base64url without padding (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  return encodings.base64Url(bytes);
}

/**
 * Reads base64url, padding accepted.
 * @returns the bytes, or undefined when the text has other characters or a dangling one
 */
export function fromBase64Url(text: string): Uint8Array | undefined {
  const digits = text.replace(/={1,2}$/, '');
  if (digits.length % 4 === 1 || !/^[A-Za-z0-9_-]*$/.test(digits)) return undefined;
  return encodings.fromBase64Url(digits);
}

/** Standard base64 with padding (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  return encodings.base64(bytes);
}

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
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
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** Big-endian, four bytes. */
export function u32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  out[0] = value >>> 24;
  out[1] = value >>> 16;
  out[2] = value >>> 8;
  out[3] = value;
  return out;
}

/** Each part behind its length (four bytes, big-endian), so that no two lists of parts give the same bytes. */
export function lengthPrefixed(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((length, part) => length + 4 + part.length, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length);
    out.set(part, at + 4);
    at += 4 + part.length;
  }
  return out;
}

/**
 * What numbers of up to this many bytes pass through, since a view of a small array would first move that array out of JavaScript's heap.
 * Overwritten after each: they may be secret.
 */
const passage = new Uint8Array(64);
const passageView = new DataView(passage.buffer);

/** Big-endian unsigned integer. Variable time. */
export function toBigInt(bytes: Uint8Array): bigint {
  const { length } = bytes;
  if (length > passage.length) return read(new DataView(bytes.buffer, bytes.byteOffset, length), length);
  passage.set(bytes);
  const value = read(passageView, length);
  passage.fill(0, 0, length);
  return value;
}

/** Big-endian, left padded to `length` bytes. Variable time. @throws {RangeError} if it does not fit */
export function fromBigInt(value: bigint, length: number): Uint8Array {
  if (length > passage.length) {
    const out = new Uint8Array(length);
    write(new DataView(out.buffer), value, length);
    return out;
  }
  try {
    write(passageView, value, length);
    return passage.slice(0, length);
  } finally {
    passage.fill(0, 0, length);
  }
}

function read(view: DataView, length: number): bigint {
  const odd = length % 8;
  let value = 0n;
  for (let at = 0; at < odd; at++) value = (value << 8n) | BigInt(view.getUint8(at));
  for (let at = odd; at < length; at += 8) value = (value << 64n) | view.getBigUint64(at);
  return value;
}

function write(view: DataView, value: bigint, length: number): void {
  const odd = length % 8;
  let rest = value;
  for (let at = length - 8; at >= odd; at -= 8, rest >>= 64n) view.setBigUint64(at, BigInt.asUintN(64, rest));
  for (let at = odd - 1; at >= 0; at--, rest >>= 8n) view.setUint8(at, Number(rest & 0xffn));
  if (rest !== 0n) throw new RangeError(`the number does not fit ${length} bytes`);
}
