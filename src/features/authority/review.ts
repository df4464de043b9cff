/**
 * That the log in the database is the one whose head t + 1 signers vouch for: one of them is honest and has verified every entry of it, so
 * that it is enough for each entry to be the one that the next names. The end of it is read at the start, the rest beside the work.
 * @module
 */

import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { hashOf } from '../../authority/entry.ts';
import type { Head } from '../../authority/head.ts';
import { equal, fromHex } from '../../base/bytes.ts';
import type { Query } from '../../store/database.ts';
import { type HashedRow, readHashed } from './store.ts';

const entriesAtStart = 500;
const entriesAtOnce = 100;
const pauseMs = 20;

const linked = z.object({ sequence: z.int(), previous: z.string() });

/** The last entries before this head. @throws {Error} naming the first that is not what it was */
export async function reviewEnd(query: Query, head: Head): Promise<void> {
  if (head.sequence === 0) return;
  const from = Math.max(1, head.sequence - entriesAtStart + 1);
  requireSame(head, await chain(query, { from, to: head.sequence }));
}

/** All entries before this head, in small parts. @throws {Error} naming the first that is not what it was; when `signal` is aborted */
export async function review(query: Query, { genesis, head }: { genesis: Head; head: Head }, signal: AbortSignal): Promise<void> {
  let previous = genesis.hash;
  for (let from = 1; from <= head.sequence; from += entriesAtOnce) {
    await pause(pauseMs, undefined, { signal });
    previous = await chain(query, { from, to: Math.min(from + entriesAtOnce - 1, head.sequence), previous });
  }
  requireSame(head, previous);
}

/** @returns the hash of the last one */
async function chain(query: Query, { from, to, previous }: { from: number; to: number; previous?: Uint8Array }): Promise<Uint8Array> {
  let before = previous;
  let next = from;
  for (const row of await readHashed(query, from, to)) {
    const wrong = row.sequence === next ? wrongIn(row, before) : `it does not follow entry ${next - 1}`;
    if (wrong !== undefined) throw notVerified(row.sequence, wrong);
    before = row.hash;
    next += 1;
  }
  if (before === undefined || next <= to) throw notVerified(next, 'it is missing');
  return before;
}

function wrongIn({ sequence, hash, text }: HashedRow, previous: Uint8Array | undefined): string | undefined {
  if (!equal(hashOf(text), hash)) return 'its text is not the one that was hashed';
  const { success, data } = linked.safeParse(jsonOf(text));
  if (!success || data.sequence !== sequence) return 'it has another number';
  const named = fromHex(data.previous);
  return previous === undefined || (named !== undefined && equal(named, previous)) ? undefined : `it follows another entry ${sequence - 1}`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function requireSame({ sequence, hash }: Head, found: Uint8Array): void {
  if (!equal(hash, found)) throw notVerified(sequence, 'it is another one than the signers vouch for');
}

export function notVerified(sequence: number, reason: string, cause?: unknown): Error {
  return new Error(`the authority log in the database: entry ${sequence} does not verify: ${reason}`, { cause });
}
