/**
 * The authority log on this signer's disk, and beside it the registry that the log makes, so that a start goes on from there however long
 * the log is. Both change in one transaction. The registry that is kept is that of the confirmed entries; the last one, while it is
 * unconfirmed, is laid over it in memory only.
 *
 * The disk is not trusted. The registry stands under a signed checkpoint, and every read of it is verified; `review` verifies the log again
 * beside the work. What is found not to be what it was ends this ledger: nobody judges by it any more, and the next start verifies the whole
 * log before it does anything.
 * @module
 */

import { decodeEntry, type Entry, encodeEntry, hashOf } from '../authority/entry.ts';
import { type Head, sameHead } from '../authority/head.ts';
import { apply, catchUp } from '../authority/log.ts';
import type { RecordStore } from '../authority/records.ts';
import type { Accepted, MutableRegistry, Registry } from '../authority/registry.ts';
import { genesisOf, initialRegistry, type Root, resumedRegistry } from '../authority/root.ts';
import type { SignedHead } from '../authority/signedHead.ts';
import { verifyLog } from '../authority/verifyLog.ts';
import { assert, messageOf, Refusal } from '../base/errors.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { maxEntriesPerPage } from './contract.ts';
import { type KeptRecords, openKeptRecords } from './keptRecords.ts';
import { Tampered } from './recordTree.ts';
import { review } from './review.ts';
import type { SignerStore, StoredEntry } from './store.ts';
import { vouchersText } from './vouchers.ts';

export interface Ledger {
  /** As the log stands now: ask again after every change. @throws {Error} once this ledger has ended */
  readonly registry: Registry;
  /** The last entry, while it is. */
  readonly unconfirmed: Entry | undefined;
  /** One more entry, unconfirmed, after one that is confirmed. Durable when it returns. */
  add(entry: Entry, accepted: Accepted): void;
  /** The last entry, by the vouchers of t + 1 signers. */
  confirm(vouchers: readonly SignedHead[]): void;
  /** Entries that t + 1 signers vouch for: all of them, or none. @throws {Refusal} for the first that is not good */
  takeOver(entries: readonly Entry[], vouchers: readonly SignedHead[]): void;
  /** The unconfirmed entry. */
  drop(): void;
  /**
   * Verifies again, beside the work, what this start has taken from an earlier one. What it finds ends this ledger.
   * @returns how many entries that was
   */
  review(signal: AbortSignal): Promise<number>;
}

export interface LedgerParts {
  readonly root: Root;
  readonly signerId: string;
  /** By the identity key. */
  readonly sign: (message: Uint8Array) => Uint8Array;
  readonly store: Pick<SignerStore, 'log' | 'registry'>;
  /** Told why the registry that is kept is not gone on from: the whole log is verified instead. */
  readonly onDistrust: (reason: string) => void;
  /** Told once, when this ledger has ended. */
  readonly onFault: (fault: Error) => void;
}

interface State {
  readonly records: KeptRecords;
  readonly registry: MutableRegistry;
  saved: Checkpoint;
  unconfirmed: Entry | undefined;
}

/** Goes on from the checkpoint, or from the root. @throws {Error} naming the first entry that is not what it was */
export function openLedger({ root, signerId, sign, store: { log, registry: rows }, onDistrust, onFault }: LedgerParts): Ledger {
  let fault: Error | undefined;
  /** Undefined while it is being opened: then nothing that is found ends it, the log is verified instead. */
  let opened: State | undefined;
  /** Whether there is anything that this start has not verified itself. */
  let isResumed = false;
  /** Whether a transaction is under way. */
  let isChanging = false;

  function load(): State {
    const checkpoint = trusted();
    const state = checkpoint === undefined ? fromRoot() : fromCheckpoint(checkpoint);
    readOn(state);
    return state;
  }

  function trusted(): Checkpoint | undefined {
    const stored = rows.checkpoint();
    const read = stored && readCheckpoint(stored, root, signerId);
    if (read === undefined || !('distrusted' in read)) return read;
    onDistrust(`its checkpoint is not gone on from: ${read.distrusted}`);
    return undefined;
  }

  function fromRoot(): State {
    return log.atomically(() => {
      rows.clear();
      const records = openKeptRecords(rows);
      const registry = initialRegistry(root, watched(records));
      isResumed = false;
      return { records, registry, saved: save(records, registry), unconfirmed: undefined };
    });
  }

  function fromCheckpoint(checkpoint: Checkpoint): State {
    const { head, roots } = checkpoint;
    const isOfThisRoot = head.sequence > 0 || sameHead(head, genesisOf(root));
    if (!isOfThisRoot || !isEndOfLog(head)) throw notWhatItWas(head);
    const records = openKeptRecords(rows, roots);
    isResumed = true;
    return { records, registry: resumedRegistry(root, checkpoint, watched(records)), saved: checkpoint, unconfirmed: undefined };
  }

  /** Whether the entries before this head, a page of them, are those that it commits to. What is before them is for the review. */
  function isEndOfLog(head: Head): boolean {
    const count = Math.min(maxEntriesPerPage, head.sequence);
    const page = log.read(head.sequence - count + 1, count);
    let expected = head;
    for (const { sequence, text } of page.toReversed()) {
      if (!sameHead({ sequence, hash: hashOf(text) }, expected)) return false;
      expected = { sequence: sequence - 1, hash: decodeEntry(text).previous };
    }
    return page.length === count;
  }

  /** What the log has after the checkpoint. */
  function readOn(state: State): void {
    const { registry, records } = state;
    const last = log.last();
    const from = registry.head.sequence;
    const isOpenEnd = last !== undefined && last.vouchers === null && last.sequence > from;
    const end = last === undefined ? from : last.sequence - (isOpenEnd ? 1 : 0);
    while (registry.head.sequence < end) {
      const { sequence } = registry.head;
      const page = log.read(sequence + 1, Math.min(maxEntriesPerPage, end - sequence));
      log.atomically(() => {
        for (const entry of page) replay(registry, entry);
        state.saved = save(records, registry);
      });
    }
    if (isOpenEnd) state.unconfirmed = replay(registry, last);
  }

  function replay(registry: MutableRegistry, { text }: StoredEntry): Entry {
    try {
      const entry = decodeEntry(text);
      apply(registry, entry, 'replay');
      return entry;
    } catch (error) {
      if (error instanceof Refusal) throw notWhatItWas();
      throw error;
    }
  }

  /** Within a transaction; what is returned holds when that is done. */
  function save(records: KeptRecords, { head, time }: Registry): Checkpoint {
    const checkpoint = { head, time, roots: records.save() };
    rows.putCheckpoint(writeCheckpoint(checkpoint, root.clusterId, sign));
    return checkpoint;
  }

  function notWhatItWas(expected?: Head): Error {
    const { problem } = verifyLog(root, Array.from(log.all(), slotOf), expected);
    assert(problem, 'a log that does not verify has a problem');
    const { sequence, fault: done, reason } = problem;
    return new Error(`${changed}: entry ${sequence} was ${done} (${reason})`);
  }

  function end(reason: Error): void {
    if (fault !== undefined || opened === undefined) return;
    fault = reason;
    if (!isChanging) rows.dropCheckpoint();
    onFault(reason);
  }

  function watched(records: RecordStore): RecordStore {
    const watch = <T>(work: () => T): T => {
      try {
        return work();
      } catch (error) {
        if (error instanceof Tampered) end(error);
        throw error;
      }
    };
    return { get: (kind, id) => watch(() => records.get(kind, id)), put: records.put, all: (kind) => watch(() => records.all(kind)) };
  }

  function sound(): State {
    if (fault !== undefined) throw fault;
    assert(opened, 'a ledger is used when it is open');
    return opened;
  }

  function reload(): void {
    try {
      opened = load();
    } catch (error) {
      end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** All of it, or the log and the registry are as they were. */
  function change(work: (state: State) => void): void {
    const state = sound();
    isChanging = true;
    try {
      log.atomically(() => work(state));
    } catch (error) {
      isChanging = false;
      if (fault === undefined) reload();
      else rows.dropCheckpoint();
      throw error;
    }
    isChanging = false;
  }

  try {
    opened = load();
  } catch (error) {
    if (!(error instanceof Tampered)) throw error;
    onDistrust(error.message);
    rows.dropCheckpoint();
    opened = load();
  }
  const wasResumed = isResumed;

  return {
    get registry() {
      return sound().registry;
    },
    get unconfirmed() {
      return sound().unconfirmed;
    },
    add(entry, accepted) {
      change((state) => {
        log.add([stored(entry)]);
        state.registry.commit(accepted);
        state.unconfirmed = entry;
      });
    },
    confirm(vouchers) {
      change((state) => {
        log.confirm(state.registry.head.sequence, vouchersText(vouchers));
        state.saved = save(state.records, state.registry);
        state.unconfirmed = undefined;
      });
    },
    takeOver(entries, vouchers) {
      const last = entries.at(-1);
      change((state) => {
        catchUp(state.registry, entries, vouchers);
        log.add(entries.map((entry) => stored(entry, entry === last ? vouchers : undefined)));
        state.saved = save(state.records, state.registry);
        state.unconfirmed = undefined;
      });
    },
    drop() {
      change(({ unconfirmed }) => {
        assert(unconfirmed, 'what is confirmed is not dropped');
        log.dropFrom(unconfirmed.sequence);
      });
      reload();
    },
    async review(signal) {
      if (!wasResumed) return 0;
      try {
        return await review({ root, log, saved: () => sound().saved, hashAt: (sequence) => sound().registry.hashAt(sequence) }, signal);
      } catch (cause) {
        if (!signal.aborted) end(new Error(`${changed}: ${messageOf(cause)}`, { cause }));
        throw cause;
      }
    },
  };
}

const changed = 'the authority log of this signer is not what it was';

function slotOf({ text }: StoredEntry): Entry | { unreadable: string } {
  try {
    return decodeEntry(text);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { unreadable: error.message };
  }
}

function stored(entry: Entry, vouchers?: readonly SignedHead[]): StoredEntry {
  return { sequence: entry.sequence, text: encodeEntry(entry), vouchers: vouchers === undefined ? null : vouchersText(vouchers) };
}
