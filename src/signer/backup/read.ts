/** A backup, read: what it says of itself, and its lines for whoever can open it. @module */

import { createPublicKey, verify } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { messageOf } from '../../base/errors.ts';
import {
  bindingOf,
  digesting,
  endMessage,
  type Header,
  header,
  type Line,
  line,
  maxHeaderBytes,
  type Openers,
  openedBy,
} from './format.ts';
import { readSealedLines } from './sealedLines.ts';

export interface Backup {
  readonly file: string;
  readonly header: Header;
  /**
   * All lines but the last, in order. Good only when it comes to its end: the signature stands there.
   * @throws {Error} naming the file, if it was altered or cut off, or its signer has not signed it
   */
  lines(): Generator<Exclude<Line, { kind: 'end' }>>;
  /** Forgets its key. */
  close(): void;
}

/** @throws {Error} naming the file, if it is no backup, or none of these opens it */
export async function openBackup(file: string, openers: Openers): Promise<Backup> {
  return naming(file, async () => {
    const { text, parsed } = readHeader(file);
    const key = await openedBy(parsed, openers);
    return {
      file,
      header: parsed,
      lines: () => linesOf({ file, text, parsed, key }),
      close: () => key.fill(0),
    };
  });
}

/** `text`: the header's line; `key`: the data key. */
export function* linesOf({
  file,
  text,
  parsed,
  key,
}: {
  file: string;
  text: string;
  parsed: Header;
  key: Uint8Array;
}): ReturnType<Backup['lines']> {
  const descriptor = openSync(file, 'r');
  const digest = digesting(text);
  let end: Uint8Array | undefined;
  try {
    readSync(descriptor, new Uint8Array(Buffer.byteLength(text) + 1));
    for (const one of readSealedLines(descriptor, { key, aad: bindingOf(text) })) {
      if (end !== undefined) throw new Error('it goes on after its end');
      const read = line.parse(JSON.parse(one));
      if (read.kind === 'end') {
        end = read.signature;
      } else {
        digest.update(`${one}\n`);
        yield read;
      }
    }
    if (end === undefined) throw new Error('it has no end');
    if (!isSignedBy(parsed, new Uint8Array(digest.digest()), end)) throw new Error(`signer ${parsed.signerId} has not signed it`);
  } catch (cause) {
    throw new Error(`${file}: ${messageOf(cause)}`, { cause });
  } finally {
    closeSync(descriptor);
  }
}

function readHeader(file: string): { text: string; parsed: Header } {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = new Uint8Array(maxHeaderBytes);
    const read = bytes.subarray(0, readSync(descriptor, bytes));
    const end = read.indexOf(0x0a);
    if (end < 0) throw new Error('it is not a backup of a signer');
    const text = new TextDecoder('utf8', { fatal: true }).decode(read.subarray(0, end));
    return { text, parsed: header.parse(JSON.parse(text)) };
  } catch (cause) {
    throw new Error('it is not a backup of a signer', { cause });
  } finally {
    closeSync(descriptor);
  }
}

function isSignedBy(about: Header, digest: Uint8Array, signature: Uint8Array): boolean {
  const x = Buffer.from(about.signerId, 'base64').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, endMessage(about, digest), key, signature);
}

async function naming<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new Error(`${file}: ${messageOf(cause)}`, { cause });
  }
}
