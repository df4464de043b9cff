/**
 * This replica's copy of the authority log: read from the database, verified entry by entry, and written to it together with what the API
 * reads, and with the records of the registry, from which the next start goes on. Whoever changes it has the turn (`turns.ts`).
 * @module
 */

import { isVouchedFor } from '../../authority/cluster.ts';
import { decodeEntry, type Entry, hashOf, headOf } from '../../authority/entry.ts';
import { sameHead } from '../../authority/head.ts';
import { apply, askedAt, check, requireConfirmed } from '../../authority/log.ts';
import type { Accepted, Change, Registry } from '../../authority/registry.ts';
import { genesisOf, initialRegistry, type Root, resumedRegistry } from '../../authority/root.ts';
import type { SignedHead } from '../../authority/signedHead.ts';
import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import type { Coordinator } from '../../coordinator/coordinator.ts';
import type { Database, Query } from '../../store/database.ts';
import { recordEffect } from '../audit/store.ts';
import { auditOf } from './audit.ts';
import { requireSameHistory } from './heads.ts';
import { type Projection, project } from './projection.ts';
import * as recordStore from './recordStore.ts';
import { logRecords, type Put } from './records.ts';
import { notVerified, review, reviewEnd } from './review.ts';
import * as store from './store.ts';

export interface LogCopy {
  /** For what is in memory: its head, its ids, who may do what. Keys and heads are asked for by `judge`. */
  readonly registry: Registry;
  /** What pure work makes of the registry, all of it at hand. @param query of the transaction that it is part of */
  judge<T>(work: (registry: Registry) => T, query?: Query): Promise<T>;
  /**
   * Reads what other replicas have written; the first time all that the records of the database do not have yet.
   * @throws {Error} for what does not verify: only replicas write the log, so it was tampered with
   */
  refresh(): Promise<void>;
  /** Reads again, beside the work, what this start has taken for verified. @throws {Error} naming the first entry that is not what it was */
  review(signal: AbortSignal): Promise<void>;
  /**
   * Takes over what t + 1 signers have and the database has not: it was restored from a backup, or a turn was cut short.
   * @returns the number of the first entry that was; undefined when there was none
   * @throws {Error} when the signers' log is another one
   */
  takeOver(): Promise<number | undefined>;
  /** Writes an entry that the signers have taken: from now on it counts here. */
  record(recorded: Recorded): Promise<Performed>;
}

export interface Recorded {
  readonly entry: Entry;
  /** At the registry as it is now. */
  readonly accepted: Accepted;
  readonly vouchers: readonly SignedHead[];
  /** Of the request that it came with. */
  readonly requestId: string | null;
}

/** What a request has come to. */
export interface Performed {
  readonly changes: readonly Change[];
  /** Of the records that it has made or changed. */
  readonly date: Date;
}

export function createLogCopy(parts: {
  database: Database;
  coordinator: Coordinator;
  root: Root;
  projection: Projection;
  clock: Clock;
}): LogCopy {
  const { database, coordinator, root, projection, clock } = parts;
  let records = logRecords(root, undefined);
  let registry = initialRegistry(root, records);
  /** Milliseconds: of the entry at the registry's head. */
  let lastAccepted = root.createdAt * 1000;
  /** The number of the last entry that was seen to be vouched for. */
  let vouchedFor = 0;
  /** The number of the last entry that the records in the database are of; undefined when what is here may be of none that is there. */
  let recorded: number | undefined;

  /** Goes on from the records of the database, or begins at the root. */
  async function load(): Promise<void> {
    const checkpoint = await recordStore.findCheckpoint(database);
    const [row] = checkpoint === undefined ? [] : await store.readRows(database, checkpoint.sequence, 1);
    if (checkpoint !== undefined && row?.sequence === checkpoint.sequence) {
      records = logRecords(root, await recordStore.heldRecords(database));
      registry = resumedRegistry(root, { head: { sequence: row.sequence, hash: hashOf(row.text) }, time: checkpoint.time }, records);
      lastAccepted = row.dateAccepted.getTime();
      recorded = checkpoint.sequence;
      await reviewEnd(database, registry.head);
    } else {
      records = logRecords(root, undefined);
      registry = initialRegistry(root, records);
      lastAccepted = root.createdAt * 1000;
      await database.transaction(async (tx) => {
        await recordStore.clearRecords(tx);
        await recordStore.putRecords(tx, putsOf(0), { sequence: 0, time: registry.time });
      });
      recorded = 0;
    }
    vouchedFor = 0;
  }

  /** Those of the entry that was committed just now. */
  function putsOf(sequence: number): (Put & { sequence: number })[] {
    return records.taken().map((put) => ({ ...put, sequence }));
  }

  const judge: LogCopy['judge'] = (work, query = database) => records.reading(query, registry.head.sequence, () => work(registry));

  /** In the transaction that writes the entry, as its last part. When that fails, what is here is not believed any more. */
  async function count(tx: Query, accepted: Accepted, date: Date): Promise<void> {
    recorded = undefined;
    await judge(() => registry.commit(accepted), tx);
    const { sequence } = accepted.head;
    await recordStore.putRecords(tx, putsOf(sequence), { sequence, time: registry.time });
    lastAccepted = date.getTime();
    vouchedFor = sequence;
  }

  /** Later than every date before, so that lists show the order of the log. */
  function dateAfter(ms: number): Date {
    return new Date(Math.max(ms, lastAccepted + 1));
  }

  /** All that the database knows of an entry. */
  async function write(tx: Query, { entry, accepted, vouchers, requestId }: Recorded, date: Date): Promise<void> {
    if (!(await store.insertEntry(tx, { entry, vouchers, dateAccepted: date }))) {
      throw new Refusal('Unavailable', 'another replica was faster; ask again', {
        cause: new Error(`there is an entry ${entry.sequence} of the authority log already`),
      });
    }
    const authorisation = 'authorisation' in entry ? entry.authorisation : undefined;
    if (authorisation !== undefined) await recordEffect(tx, auditOf(registry, authorisation, { date, requestId }));
    await project(tx, projection, accepted.changes, {
      organisationId: registry.organisationId,
      date,
      dateAsked: dateAsked(entry),
      ...(authorisation !== undefined && { authorisation }),
    });
    await store.removeProposal(tx);
    await count(tx, accepted, date);
  }

  /** Together, because it is the last one that is vouched for. Nobody here saw when they happened: they are dated by what they say. */
  async function recordAll(entries: readonly Entry[], vouchers: readonly SignedHead[]): Promise<void> {
    await database.transaction(async (tx) => {
      const proposal = await store.findProposal(tx);
      for (const [i, entry] of entries.entries()) {
        const isProposed = proposal !== undefined && sameHead(headOf(entry), headOf(proposal.entry));
        const accepted = await judge(() => check(registry, entry, 'replay'), tx);
        await write(
          tx,
          {
            entry,
            accepted,
            vouchers: i === entries.length - 1 ? vouchers : [],
            requestId: isProposed ? proposal.requestId : null,
          },
          dateAfter(dateAsked(entry).getTime()),
        );
      }
    });
    recorded = registry.head.sequence;
  }

  /** Entries that stand in the database after this registry's head. */
  async function readOn(rows: readonly store.LogRow[]): Promise<void> {
    const puts: ReturnType<typeof putsOf> = [];
    for (const { sequence, text, dateAccepted } of rows) {
      await judge(() => readAs(sequence, () => apply(registry, decodeEntry(text), 'replay')));
      puts.push(...putsOf(sequence));
      lastAccepted = dateAccepted.getTime();
    }
    const { head, time } = registry;
    const checkpoint = await recordStore.findCheckpoint(database);
    // Whoever wrote them has written their records too, but for another version of this program.
    if (checkpoint === undefined || checkpoint.sequence < head.sequence) {
      await database.transaction((tx) => recordStore.putRecords(tx, puts, { sequence: head.sequence, time }));
    }
    recorded = head.sequence;
  }

  return {
    get registry() {
      return registry;
    },
    judge,

    async refresh() {
      if (recorded === undefined) await load();
      for (let isEnd = false; !isEnd; ) {
        const rows = await store.readRows(database, registry.head.sequence + 1, store.pageSize);
        if (rows.length > 0) await readOn(rows);
        isEnd = rows.length < store.pageSize;
      }
      records.forgetRest();
      const { head } = registry;
      if (head.sequence === vouchedFor) return;
      if (!isVouchedFor(registry, head, await store.historyOf(database).vouchers(head.sequence))) {
        throw new Error(`the authority log in the database: too few signers vouch for its last entry, ${head.sequence}`);
      }
      vouchedFor = head.sequence;
    },

    async takeOver() {
      const from = registry.head.sequence + 1;
      for (;;) {
        const found = await coordinator.entriesFrom(registry.head.sequence + 1);
        if (found === undefined || found.entries.length === 0) break;
        await requireSameHistory(judge, found.entries, coordinator);
        requireConfirmed(registry, found.entries, found.vouchers);
        await recordAll(found.entries, found.vouchers);
      }
      return registry.head.sequence < from ? undefined : from;
    },

    async record(performed) {
      const date = dateAfter(clock());
      await database.transaction((tx) => write(tx, performed, date));
      recorded = registry.head.sequence;
      return { changes: performed.accepted.changes, date };
    },

    async review(signal) {
      try {
        await review(database, { genesis: genesisOf(root), head: registry.head }, signal);
      } catch (error) {
        if (!signal.aborted) await recordStore.dropCheckpoint(database);
        throw error;
      }
    },
  };
}

/** When it was asked for, in whole seconds. */
function dateAsked(entry: Entry): Date {
  return new Date(1000 * askedAt(entry));
}

function readAs<T>(sequence: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof Refusal ? notVerified(sequence, error.message, error) : error;
  }
}
