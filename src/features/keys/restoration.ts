/**
 * Keys that the authority log has and the database has not, though the signers hold their shares: the database was restored from a backup,
 * or the service stopped between the making of a key and its record. Their records are made anew, from the log and from what the signers
 * say. A key whose making came to nothing has no shares, and gets no record.
 * @module
 */

import { decodeEntry } from '../../authority/entry.ts';
import { parseBody, targetOf } from '../../authority/parse.ts';
import type { Key } from '../../authority/registry.ts';
import { registryRequests } from '../../authority/requests.ts';
import type { Clock } from '../../base/clock.ts';
import { assert, Refusal } from '../../base/errors.ts';
import { sparingly } from '../../base/sparingly.ts';
import type { Coordinator, NewKey } from '../../coordinator/coordinator.ts';
import type { Database, Query } from '../../store/database.ts';
import { askedAt, keysWithoutRecord } from '../authority/recordStore.ts';
import type { Authority, Notices } from '../authority/service.ts';
import { readRows } from '../authority/store.ts';
import { idsWithoutKey, insertKey, rowOf } from './store.ts';

const { createKey, importKey } = registryRequests;
/** Entries of the log whose keys one statement looks for, and how many statements one pass has: the others wait for the next. */
const entriesPerStatement = 1_000;
const statementsPerPass = 8;
/** Keys that the signers are asked for at once, and how often in one pass: the others wait for the next. */
const keysPerPage = 64;
const maxPages = 64;
/** So long after it was first missed, a key has its shares or never will. */
const generationMs = 60_000;
const reportEveryMs = 60_000;

export interface KeyRestoration {
  /** One pass; the next is begun when it has ended. What cannot be known now is left to the next. */
  run(): Promise<void>;
}

interface HeldKey {
  readonly key: Key;
  readonly held: NewKey;
}

export function createKeyRestoration(parts: {
  database: Database;
  authority: Authority;
  coordinator: Coordinator;
  clock: Clock;
  log: Notices;
}): KeyRestoration {
  const { database, authority, coordinator, clock, log } = parts;
  /** The numbers of the entries whose keys have been looked for: first those at the end of the log, then back to its beginning. */
  let lookedFrom: number | undefined;
  let lookedTo = 0;
  /** Ids without a record, and when each was first missed; those that were asked for last stand at the end. */
  const missing = new Map<string, number>();
  const report = sparingly(
    (reason, leftOut) => log.warn({ missing: missing.size, reason, leftOut }, 'keys without a record wait'),
    reportEveryMs,
  );

  async function lookIn(from: number, to: number): Promise<void> {
    for (const id of await keysWithoutRecord(database, from, to)) if (!missing.has(id)) missing.set(id, clock());
  }

  async function look(): Promise<void> {
    const { sequence } = authority.registry.head;
    if (lookedFrom === undefined) lookedFrom = lookedTo = sequence;
    while (lookedTo < sequence) {
      const to = Math.min(sequence, lookedTo + entriesPerStatement);
      await lookIn(lookedTo, to);
      lookedTo = to;
    }
    for (let i = 0; i < statementsPerPass && lookedFrom > 0 && missing.size < keysPerPage * maxPages; i++) {
      const from = Math.max(0, lookedFrom - entriesPerStatement);
      await lookIn(from, lookedFrom);
      lookedFrom = from;
    }
  }

  /** @returns undefined when the signers do not have it @throws {Refusal} Unavailable */
  async function find(id: string): Promise<HeldKey | undefined> {
    const key = await authority.judge(({ keys }) => keys.get(id));
    if (key === undefined) throw new Refusal('Unavailable', 'the authority log is being read again');
    if (key.status === 'Archived') return undefined;
    const held = await coordinator.findKey(id);
    if (held === undefined || held.keyType === key.keyType) return held && { key, held };
    log.warn({ key: id, asked: key.keyType, held: held.keyType }, 'the signers hold this key as one of another type than was asked for');
    return undefined;
  }

  /** In a turn, so that nobody archives a key meanwhile. */
  async function record(found: readonly HeldKey[]): Promise<void> {
    const insertAll = async (tx: Query) => {
      const { ids } = authority.registry;
      const inserted: string[] = [];
      for (const { key, held } of found) {
        const now = await authority.judge(({ keys }) => keys.get(key.id), tx);
        if (now?.status !== 'Active') continue;
        // One that was imported twice is here under its first id.
        if (await insertKey(tx, rowOf({ key, held, ids, ...(await asked(tx, key)) }))) inserted.push(key.id);
      }
      return inserted;
    };
    const restored = await authority.inTurn(() => database.transaction(insertAll));
    if (restored.length > 0) log.warn({ keys: restored }, 'keys that the database did not have were taken over from the signers');
  }

  /** What only the entry says that asked for the key. A later name is lost with the record. */
  async function asked(tx: Query, { id }: Key): Promise<{ name: string | null; dateCreated: Date }> {
    const sequence = await askedAt(tx, id);
    assert(sequence !== undefined, 'an entry has asked for each key of the registry');
    const [row] = await readRows(tx, sequence, 1);
    const entry = row && decodeEntry(row.text);
    assert(row?.sequence === sequence && entry && 'authorisation' in entry, 'the log in the database has the entry');
    const { binding, body } = entry.authorisation;
    // The key of a wallet has no name of its own.
    const request = [createKey, importKey].find((known) => targetOf(known, binding));
    const { name = null } = request === undefined ? {} : parseBody(request.body, body);
    return { name, dateCreated: row.dateAccepted };
  }

  /** @throws {Refusal} Unavailable when the signers cannot tell of one of them; what they could is done */
  async function restore(page: readonly string[]): Promise<void> {
    const without = await idsWithoutKey(database, page);
    const answers = await Promise.allSettled(without.map(find));
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' && answer.value ? [answer.value] : []));
    if (found.length > 0) await record(found);

    const answerFor = new Map(without.map((id, i) => [id, answers[i]] as const));
    for (const id of page) {
      const since = missing.get(id) ?? clock();
      missing.delete(id);
      const answer = answerFor.get(id);
      const mayCome = answer?.status === 'fulfilled' && answer.value === undefined && clock() - since < generationMs;
      if (mayCome || answer?.status === 'rejected') missing.set(id, since);
    }
    for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
  }

  return {
    async run() {
      try {
        await look();
        const ids = [...missing.keys()].slice(0, keysPerPage * maxPages);
        for (let i = 0; i < ids.length; i += keysPerPage) await restore(ids.slice(i, i + keysPerPage));
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'Unavailable') throw error;
        report(error.message);
      }
    },
  };
}
