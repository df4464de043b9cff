/**
 * Verifies again what a checkpoint vouches for: the whole log from its root, in small slices that leave the processor to others, into a
 * registry of its own on disk, until it has come to where the signer's registry stands; then the two must be the same.
 * @module
 */

import { setTimeout as pause } from 'node:timers/promises';
import { decodeEntry } from '../authority/entry.ts';
import { type Head, sameHead } from '../authority/head.ts';
import { apply } from '../authority/log.ts';
import { kinds } from '../authority/records.ts';
import { initialRegistry, type Root } from '../authority/root.ts';
import { equal } from '../base/bytes.ts';
import { messageOf, Refusal } from '../base/errors.ts';
import type { Checkpoint } from './checkpoint.ts';
import { openKeptRecords } from './keptRecords.ts';
import { scratchRows } from './registryRows.ts';
import type { LogStore } from './store.ts';

/** How long others wait at most for a slice to end, but for the entry it is at. */
const sliceMs = 2;
/** The part of the time that slices take. */
const share = 0.1;
const entriesPerSlice = 16;

export interface Reviewed {
  readonly root: Root;
  readonly log: Pick<LogStore, 'read'>;
  /** What the signer has saved last; moves on meanwhile. */
  saved(): Checkpoint;
  hashAt(sequence: number): Uint8Array | undefined;
}

/**
 * @returns how many entries there were
 * @throws {Error} naming the first entry that is not what it was; and when `signal` is aborted
 */
export async function review({ root, log, saved, hashAt }: Reviewed, signal: AbortSignal): Promise<number> {
  const rows = scratchRows();
  try {
    const records = openKeptRecords(rows);
    const registry = initialRegistry(root, records);
    let roots = records.save();

    const verify = (until: Head) => {
      const began = performance.now();
      for (const { text } of log.read(registry.head.sequence + 1, Math.min(entriesPerSlice, until.sequence - registry.head.sequence))) {
        const sequence = registry.head.sequence + 1;
        try {
          apply(registry, decodeEntry(text), 'replay');
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          throw new Error(`entry ${sequence} does not verify: ${messageOf(error)}`, { cause: error });
        }
        const hash = hashAt(sequence);
        if (hash === undefined || !sameHead(registry.head, { sequence, hash })) throw new Error(`entry ${sequence} was altered`);
        if (performance.now() - began > sliceMs) break;
      }
      roots = records.save();
      return performance.now() - began;
    };

    for (let { head } = saved(); registry.head.sequence < head.sequence; { head } = saved()) {
      const { sequence } = registry.head;
      const tookMs = verify(head);
      if (registry.head.sequence === sequence) throw new Error(`entry ${sequence + 1} is missing`);
      await pause(tookMs * (1 / share - 1), undefined, { signal });
    }
    const { time, roots: own } = saved();
    const differing = kinds.filter((kind) => !equal(roots[kind], own[kind]));
    if (registry.time !== time || differing.length > 0)
      throw new Error(`its registry is not the one its log makes: ${differing.join(', ') || 'time'}`);
    return registry.head.sequence;
  } finally {
    rows.close();
  }
}
