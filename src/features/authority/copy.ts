/**
 * This replica's copy of the authority log: read from the database, verified entry by entry, and written to it together with what the API
 * reads. Whoever uses it has the turn (`turns.ts`).
 * @module
 */

import { timeOf } from '../../authority/authorise.ts';
import { decodeEntry, type Entry, headOf } from '../../authority/entry.ts';
import { sameHead } from '../../authority/head.ts';
import { apply, check, requireConfirmed } from '../../authority/log.ts';
import type { Accepted, Change, MutableRegistry, Registry } from '../../authority/registry.ts';
import { initialRegistry, type Root } from '../../authority/root.ts';
import { isConfirmed, type SignedHead } from '../../authority/signedHead.ts';
import type { Clock } from '../../base/clock.ts';
import { messageOf, Refusal } from '../../base/errors.ts';
import type { Coordinator } from '../../coordinator/coordinator.ts';
import type { Database, Query } from '../../store/database.ts';
import { recordEffect } from '../audit/store.ts';
import { auditOf } from './audit.ts';
import { requireSameHistory } from './heads.ts';
import { type Projection, project } from './projection.ts';
import * as store from './store.ts';

export interface LogCopy {
  readonly registry: Registry;
  /** The number of the entry that asked for this key: there is what the registry keeps nothing of. */
  askedAt(keyId: string): number | undefined;
  /** Of all keys that were asked for, in the order of the log, the ids after so many. */
  keysAfter(count: number): readonly string[];
  /** Reads what other replicas have written. @throws {Error} for what does not verify: only replicas write the log, so it was tampered with */
  refresh(): Promise<void>;
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
  let registry: MutableRegistry;
  /** Milliseconds: of the entry at the registry's head. */
  let lastAccepted: number;
  /** The number of the last entry that was seen to be vouched for. */
  let vouchedFor: number;
  /** By key id. */
  let firstEntries: Map<string, number>;
  forget();

  function forget(): void {
    registry = initialRegistry(root);
    lastAccepted = root.createdAt * 1000;
    vouchedFor = 0;
    firstEntries = new Map();
  }

  function count(accepted: Accepted, date: Date): void {
    registry.commit(accepted);
    lastAccepted = date.getTime();
    vouchedFor = accepted.head.sequence;
    index(accepted);
  }

  function index({ head, changes }: Accepted): void {
    for (const { kind, record } of changes) {
      if (kind === 'key' && !firstEntries.has(record.id)) firstEntries.set(record.id, head.sequence);
    }
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
  }

  /** Together, because it is the last one that is vouched for. Nobody here saw when they happened: they are dated by what they say. */
  async function recordAll(entries: readonly Entry[], vouchers: readonly SignedHead[]): Promise<void> {
    try {
      await database.transaction(async (tx) => {
        const proposal = await store.findProposal(tx);
        for (const [i, entry] of entries.entries()) {
          const isProposed = proposal !== undefined && sameHead(headOf(entry), headOf(proposal.entry));
          const accepted = check(registry, entry, 'replay');
          const date = dateAfter(dateAsked(entry).getTime());
          await write(
            tx,
            {
              entry,
              accepted,
              vouchers: i === entries.length - 1 ? vouchers : [],
              requestId: isProposed ? proposal.requestId : null,
            },
            date,
          );
          count(accepted, date);
        }
      });
    } catch (error) {
      forget(); // what was counted is not written: the log is read again
      throw error;
    }
  }

  return {
    get registry() {
      return registry;
    },
    askedAt: (keyId) => firstEntries.get(keyId),
    keysAfter: (count) => [...firstEntries.keys()].slice(count),

    async refresh() {
      for (let isEnd = false; !isEnd; ) {
        const rows = await store.readRows(database, registry.head.sequence + 1, store.pageSize);
        for (const { sequence, text, dateAccepted } of rows) {
          index(readAs(sequence, () => apply(registry, decodeEntry(text), 'replay')));
          lastAccepted = dateAccepted.getTime();
        }
        isEnd = rows.length < store.pageSize;
      }
      const { head } = registry;
      if (head.sequence === vouchedFor) return;
      if (!isConfirmed(root, head, await store.historyOf(database).vouchers(head.sequence))) {
        throw new Error(`the authority log in the database: too few signers vouch for its last entry, ${head.sequence}`);
      }
      vouchedFor = head.sequence;
    },

    async takeOver() {
      const from = registry.head.sequence + 1;
      for (;;) {
        const found = await coordinator.entriesFrom(registry.head.sequence + 1);
        if (found === undefined || found.entries.length === 0) break;
        await requireSameHistory(registry, found.entries, coordinator);
        requireConfirmed(registry, found.entries, found.vouchers);
        await recordAll(found.entries, found.vouchers);
      }
      return registry.head.sequence < from ? undefined : from;
    },

    async record(recorded) {
      const date = dateAfter(clock());
      await database.transaction((tx) => write(tx, recorded, date));
      count(recorded.accepted, date);
      return { changes: recorded.accepted.changes, date };
    },
  };
}

/** When it was asked for, in whole seconds. */
function dateAsked(entry: Entry): Date {
  return new Date(1000 * ('recovery' in entry ? entry.recovery.at : timeOf(entry.authorisation.binding)));
}

function readAs<T>(sequence: number, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Error(`the authority log in the database: entry ${sequence} does not verify: ${messageOf(cause)}`, { cause });
  }
}
