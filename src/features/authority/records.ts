/**
 * The records of this replica's registry: what every rule may list is in memory, the rest is in the database and fetched when it is asked
 * for. Rules are pure and do not wait; so work that asks for what is not here is broken off, and begun anew when it has been fetched.
 * @module
 */

import { anchorFor } from '../../authority/head.ts';
import { type Kind, type RecordStore, type Records, recordKinds } from '../../authority/records.ts';
import { genesisOf, type Root } from '../../authority/root.ts';
import { type BoundedMap, boundedMap } from '../../base/boundedMap.ts';
import { toHex } from '../../base/bytes.ts';
import { assert } from '../../base/errors.ts';
import type { Query } from '../../store/database.ts';
import * as store from './recordStore.ts';

export interface LogRecords extends RecordStore {
  /**
   * What the work comes to, when all it asks for is here.
   * @param work changes nothing unless it runs to its end
   * @param head as of which: the number of an entry
   */
  reading<T>(query: Query, head: number, work: () => T): Promise<T>;
  /** What was put since this was called last. */
  taken(): readonly Put[];
  /** From now on what was not put may be in the database all the same. */
  forgetRest(): void;
}

export interface Put {
  readonly kind: Kind;
  readonly id: string;
  /** Undefined where it ends. */
  readonly record: Records[Kind] | undefined;
}

const maxRemembered = 16_384;

/** Thrown by `get`, caught by `reading`. */
class NotHere extends Error {
  readonly kind: Kind;
  readonly id: string;

  constructor(kind: Kind, id: string) {
    super(`${kind} ${id} is looked up outside of \`reading\``);
    this.kind = kind;
    this.id = id;
  }
}

/** @param held what every rule may list, as the database has it; undefined for a log that is read from its root: then all is here */
export function logRecords(root: Root, held: readonly store.HeldRecord[] | undefined): LogRecords {
  const genesis = genesisOf(root);
  let isComplete = held === undefined;
  let remembered: BoundedMap<string, Records[Kind] | undefined> = boundedMap(isComplete ? Number.POSITIVE_INFINITY : maxRemembered);
  const listed = Map.groupBy(held ?? [], ({ kind }) => kind);
  /** What is put before a list is read: of the root. */
  const putFirst = new Map<Kind, Map<string, Records[Kind]>>();
  let puts: Put[] = [];

  async function fetch({ kind, id }: NotHere, query: Query, head: number): Promise<Records[Kind] | undefined> {
    switch (kind) {
      case 'head':
        return Number(id) === 0 ? toHex(genesis.hash) : store.findHash(query, Number(id), head);
      case 'anchor':
        return id === anchorFor(genesis) ? 0 : store.findAnchored(query, id, head);
      default: {
        const text = await store.findRecord(query, { kind, id, head });
        return text === undefined ? undefined : recordKinds[kind].decode(text);
      }
    }
  }

  return {
    get<K extends Kind>(kind: K, id: string) {
      const name = `${kind}/${id}`;
      if (!isComplete && !remembered.has(name)) throw new NotHere(kind, id);
      return remembered.get(name) as Records[K] | undefined; // remembered as one of this kind
    },
    put(kind, id, record) {
      puts.push({ kind, id, record });
      if (recordKinds[kind].extent === 'lookedUp') remembered.set(`${kind}/${id}`, record);
      else if (isComplete && record !== undefined) putFirst.set(kind, (putFirst.get(kind) ?? new Map()).set(id, record));
    },
    all<K extends Kind>(kind: K) {
      assert(recordKinds[kind].extent === 'held', 'what is looked up is not listed');
      const records = (listed.get(kind) ?? []).map(({ id, text }) => [id, recordKinds[kind].decode(text)] as const);
      return new Map([...records, ...((putFirst.get(kind) ?? new Map()) as Map<string, Records[K]>)]); // put as of this kind
    },
    async reading(query, head, work) {
      for (;;) {
        try {
          return work();
        } catch (error) {
          if (!(error instanceof NotHere)) throw error;
          remembered.set(`${error.kind}/${error.id}`, await fetch(error, query, head));
        }
      }
    },
    taken() {
      const taken = puts;
      puts = [];
      return taken;
    },
    forgetRest() {
      if (!isComplete) return;
      isComplete = false;
      putFirst.clear();
      remembered = boundedMap(maxRemembered);
    },
  };
}
