/**
 * The encodings of bytes as texts, by what the platform has: Node's `Buffer`, in a fraction of the time, or what a browser has too. What is
 * decoded was checked before.
 * @module
 */

import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';

export interface Encodings {
  /** Lower-case hex. */
  hex(bytes: Uint8Array): string;
  /** Of digits in any case, an even number. */
  fromHex(digits: string): Uint8Array;
  /** RFC 4648 §4, with padding. */
  base64(bytes: Uint8Array): string;
  /** RFC 4648 §5, without padding. */
  base64Url(bytes: Uint8Array): string;
  /** Of base64url, without padding. */
  fromBase64Url(text: string): Uint8Array;
}

export const portable: Encodings = {
  hex: bytesToHex,
  fromHex: hexToBytes,
  base64(bytes) {
    let characters = '';
    for (const byte of bytes) characters += String.fromCharCode(byte);
    return btoa(characters);
  },
  base64Url: (bytes) => portable.base64(bytes).replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_'),
  fromBase64Url(text) {
    const characters = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = new Uint8Array(characters.length);
    for (let at = 0; at < bytes.length; at++) bytes[at] = characters.charCodeAt(at);
    return bytes;
  },
};

/** Arrays of up to this many bytes lie in JavaScript's heap. */
const heapBytes = 64;

function over(node: typeof Buffer): Encodings {
  /** The same memory; of a small array a copy, since Node would first move it out of JavaScript's heap. */
  const view = (bytes: Uint8Array) =>
    bytes.length <= heapBytes ? node.from(bytes) : node.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    hex: (bytes) => view(bytes).toString('hex'),
    fromHex: (digits) => new Uint8Array(node.from(digits, 'hex')),
    base64: (bytes) => view(bytes).toString('base64'),
    base64Url: (bytes) => view(bytes).toString('base64url'),
    fromBase64Url: (text) => new Uint8Array(node.from(text, 'base64url')),
  };
}

const { Buffer: node }: { Buffer?: typeof Buffer } = globalThis;

export const encodings: Encodings = node === undefined ? portable : over(node);
