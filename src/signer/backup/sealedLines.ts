/**
 * Lines of text in a file, sealed in chunks: length (u32) ‖ AES-256-GCM of whole lines. A chunk's nonce is its number and whether it is the
 * last (the STREAM construction of Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015), so none can be moved, left out or cut off. The key
 * serves one file.
 * @module
 */

import { readSync, writeSync } from 'node:fs';
import { concat, fromBigInt, u32, utf8 } from '../../base/bytes.ts';
import { decrypt, encrypt } from '../../crypto/seal.ts';

const chunkBytes = 256 * 1024;
/** A line is at most an entry of the authority log with its vouchers, or a share. */
const maxChunkBytes = 2 * 1024 * 1024;
const lengthBytes = 4;

export interface Sealing {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** What the lines are bound to. */
  readonly aad: Uint8Array;
}

/** @param file descriptor, at the place where they begin */
export function writeSealedLines(file: number, lines: Iterable<string>, { key, aad }: Sealing): void {
  let number = 0;
  let pending: Uint8Array[] = [];
  let bytes = 0;

  const flush = (isLast: boolean): void => {
    const plain = concat(...pending);
    for (const part of pending) part.fill(0);
    const sealed = encrypt(key, nonceOf(number, isLast), plain, aad);
    plain.fill(0);
    writeSync(file, concat(u32(sealed.length), sealed));
    number += 1;
    pending = [];
    bytes = 0;
  };

  for (const line of lines) {
    const encoded = utf8(`${line}\n`);
    if (bytes > 0 && bytes + encoded.length > chunkBytes) flush(false);
    pending.push(encoded);
    bytes += encoded.length;
  }
  flush(true);
}

/** @throws {Error} for another key, or anything that is not as it was written; lines that were read before it may be false in what lacks */
export function* readSealedLines(file: number, { key, aad }: Sealing): Generator<string> {
  let ahead = readChunk(file);
  for (let number = 0; ahead !== undefined; number++) {
    const chunk = ahead;
    ahead = readChunk(file);
    const plain = opened(chunk, number, ahead === undefined);
    const lines = new TextDecoder().decode(plain).split('\n');
    plain.fill(0);
    if (lines.pop() !== '') throw new Error('a chunk does not end with a line');
    yield* lines;
  }

  function opened(chunk: Uint8Array, number: number, isLast: boolean): Uint8Array {
    try {
      return decrypt(key, nonceOf(number, isLast), chunk, aad);
    } catch (cause) {
      throw new Error('it was altered or cut off', { cause });
    }
  }
}

/** Eleven bytes of number, one that is 1 for the last. */
function nonceOf(number: number, isLast: boolean): Uint8Array {
  return concat(fromBigInt(BigInt(number), 11), Uint8Array.of(isLast ? 1 : 0));
}

/** Undefined at the end of the file. */
function readChunk(file: number): Uint8Array | undefined {
  const length = readExactly(file, lengthBytes);
  if (length === undefined) return undefined;
  const bytes = new DataView(length.buffer).getUint32(0);
  if (bytes > maxChunkBytes) throw new Error('it was altered: a chunk is too long');
  const chunk = readExactly(file, bytes);
  if (chunk === undefined) throw new Error('it was cut off');
  return chunk;
}

/** Undefined where nothing is left. */
function readExactly(file: number, bytes: number): Uint8Array | undefined {
  const out = new Uint8Array(bytes);
  for (let at = 0; at < bytes; ) {
    const read = readSync(file, out, at, bytes - at, null);
    if (read === 0 && at === 0) return undefined;
    if (read === 0) throw new Error('it was cut off');
    at += read;
  }
  return out;
}
