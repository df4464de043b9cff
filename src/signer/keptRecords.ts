/**
 * The records of this signer's registry, on disk under a tree for each kind. What is put is held back until it is saved: what is saved is of
 * entries that stand. What was asked for last is remembered.
 * @module
 */

import { type Kind, kinds, type RecordStore, type Records, recordKinds } from '../authority/records.ts';
import { boundedMap } from '../base/boundedMap.ts';
import { createRecordTree, emptyRoot, type RecordTree } from './recordTree.ts';
import type { RegistryRows } from './registryRows.ts';

/** By kind. */
export type Roots = { readonly [K in Kind]: Uint8Array };

/** Its reads throw {Tampered} for what is not what was saved. */
export interface KeptRecords extends RecordStore {
  /** Writes what was put since, within a transaction: when that fails, these records are not used on. */
  save(): Roots;
}

/** Of all kinds together. */
const maxRemembered = 16_384;

/** @param roots where they were saved last; none where nothing is saved yet */
export function openKeptRecords(rows: RegistryRows, roots?: Roots): KeptRecords {
  const trees = Object.fromEntries(
    kinds.map((kind) => [kind, createRecordTree({ rows, kind, root: roots?.[kind] ?? emptyRoot })]),
  ) as Record<Kind, RecordTree>; // one for each
  const unsaved = new Map<Kind, Map<string, Records[Kind] | undefined>>(kinds.map((kind) => [kind, new Map()]));
  const remembered = boundedMap<string, Records[Kind] | undefined>(maxRemembered);
  /** Whatever is put or read under a kind is of this kind. */
  const putIn = <K extends Kind>(kind: K) => unsaved.get(kind) as Map<string, Records[K] | undefined>;

  return {
    get<K extends Kind>(kind: K, id: string) {
      const put = putIn(kind);
      if (put.has(id)) return put.get(id);
      const name = `${kind}/${id}`;
      if (remembered.has(name)) return remembered.get(name) as Records[K] | undefined;
      const text = trees[kind].get(id);
      const record = text === undefined ? undefined : recordKinds[kind].decode(text);
      remembered.set(name, record);
      return record;
    },
    put(kind, id, record) {
      putIn(kind).set(id, record);
    },
    all<K extends Kind>(kind: K) {
      const records = new Map(trees[kind].all().map(({ id, text }) => [id, recordKinds[kind].decode(text)]));
      for (const [id, record] of putIn(kind)) {
        if (record === undefined) records.delete(id);
        else records.set(id, record);
      }
      return records;
    },
    save() {
      for (const kind of kinds) {
        const put = putIn(kind);
        const encode: (record: Records[Kind]) => string = recordKinds[kind].encode as (record: unknown) => string; // of the same kind
        trees[kind].write(new Map(Array.from(put, ([id, record]) => [id, record === undefined ? undefined : encode(record)])));
        for (const [id, record] of put) remembered.set(`${kind}/${id}`, record);
        put.clear();
      }
      return Object.fromEntries(kinds.map((kind) => [kind, trees[kind].root])) as Roots; // one for each
    },
  };
}
