/**
 * A copy of the log, checked offline: one entry a line, as `encodeEntry` writes it. Needs the root alone; with the cluster's signers also
 * recoveries can be verified, with a head also the end of the log.
 * @module
 */

import { messageOf } from '../base/errors.ts';
import { decodeEntry, type Entry, encodeEntry } from './entry.ts';
import type { Head } from './head.ts';
import type { MutableRegistry } from './registry.ts';
import type { Root } from './root.ts';
import { type Problem, type Slot, verifyLog } from './verifyLog.ts';

export type CopyVerdict =
  | { readonly ok: true; readonly head: Head; readonly registry: MutableRegistry }
  | ({ readonly ok: false /** Where it was noticed, from 1. */; readonly line: number } & Problem);

/** @throws {Refusal} BadRequest for a root whose credential is not accepted */
export function verifyCopy(root: Root, text: string, expected?: Head): CopyVerdict {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const verified = verifyLog(root, lines.map(slotOf), expected);
  if (verified.problem === undefined) return { ok: true, head: verified.head, registry: verified.registry };
  return { ok: false, line: verified.at + 1, ...verified.problem };
}

/** A copy of these entries. */
export function copyOf(entries: readonly Entry[]): string {
  return entries.map((entry) => `${encodeEntry(entry)}\n`).join('');
}

function slotOf(line: string): Slot {
  try {
    return decodeEntry(line);
  } catch (error) {
    return { unreadable: messageOf(error) };
  }
}
