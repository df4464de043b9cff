/**
 * What a registry is made of: records, by kind and id. Where they are kept is for whoever runs it to say: in memory, in a signer's own store
 * beside its log, in the service's database. To add a kind is a line in each of the two tables here.
 * @module
 */

import { toHex } from '../base/bytes.ts';
import { importCredentialKey } from '../crypto/assertions.ts';
import { anchorFor, type Head } from './head.ts';
import type { Account, Assignment, Change, Credential, Derivation, Key, Permission, SignersSince, Wallet } from './registry.ts';

export interface Records {
  account: Account;
  /** By credId. */
  credential: Credential;
  permission: Permission;
  assignment: Assignment;
  key: Key;
  wallet: Wallet;
  cluster: SignersSince;
  /** By `aliasOf`: the id of the record that is found so. */
  alias: string;
  /** By master key: the smallest index at which it has no child. */
  nextChild: number;
  /** By the nonce of a user action that is in the log and has not expired: until when. Unix seconds. */
  nonce: number;
  /** By the number of an entry, 0 for the root: the hash of the head that it makes. Hex. */
  head: string;
  /** By the anchor of a head (`head.ts`): its number. */
  anchor: number;
}

export type Kind = keyof Records;

interface RecordKind<T> {
  /** `held`: few, all of them in memory. `lookedUp`: there may be millions; in memory is what was asked for last. */
  readonly extent: 'held' | 'lookedUp';
  /** One text for one record: digests are made of it. */
  encode(record: T): string;
  /** Of a text that `encode` has made, and whose keeper vouches for it. */
  decode(text: string): T;
}

/** Counts changes of what is kept for the same log: what another version has kept is not read on, but made anew out of the log. */
export const recordsVersion = 3;

export const recordKinds: { readonly [K in Kind]: RecordKind<Records[K]> } = {
  account: json('held'),
  credential: {
    extent: 'held',
    encode: ({ key: _, ...credential }) => JSON.stringify(credential),
    decode(text) {
      const credential: Omit<Credential, 'key'> = JSON.parse(text);
      return { ...credential, key: importCredentialKey(credential.publicKey) };
    },
  },
  permission: json('held'),
  assignment: json('held'),
  key: json('lookedUp'),
  wallet: json('lookedUp'),
  cluster: json('held'),
  alias: json('lookedUp'),
  nextChild: json('lookedUp'),
  nonce: json('held'),
  head: json('lookedUp'),
  anchor: json('lookedUp'),
};

export const kinds = Object.keys(recordKinds) as readonly Kind[]; // its keys are the kinds

/** By what else than their ids records are found, one record by each name. */
export const aliasOf = {
  child: ({ keyId, path }: Derivation) => `child/${keyId}/${path}`,
  walletOf: (keyId: string, network: string) => `wallet/${keyId}/${network}`,
};

export interface RecordStore {
  get<K extends Kind>(kind: K, id: string): Records[K] | undefined;
  /** In place of what there was; undefined ends it. */
  put<K extends Kind>(kind: K, id: string, record: Records[K] | undefined): void;
  /** Every record of a kind. Of those that are looked up only where there is time for it. */
  all<K extends Kind>(kind: K): Iterable<readonly [id: string, record: Records[K]]>;
}

type Writable = Omit<RecordStore, 'all'>;

/** Puts a change, and by what else its record is found. */
export function keep(records: Writable, change: Change): void {
  if (change.kind === 'revocation') {
    records.put('assignment', change.record.id, undefined);
    return;
  }
  const id = change.kind === 'credential' ? change.record.credId : change.record.id;
  records.put<Kind>(change.kind, id, change.record); // the kind of a change is that of its record
  if (change.kind === 'wallet') records.put('alias', aliasOf.walletOf(change.record.keyId, change.record.network), id);
  if (change.kind === 'key' && change.record.derivedFrom !== undefined) keepChild(records, id, change.record.derivedFrom);
}

export function keepHead(records: Pick<RecordStore, 'put'>, head: Head): void {
  records.put('head', String(head.sequence), toHex(head.hash));
  records.put('anchor', anchorFor(head), head.sequence);
}

/** Each index is passed over once. */
function keepChild(records: Writable, id: string, derivation: Derivation): void {
  records.put('alias', aliasOf.child(derivation), id);
  const { keyId } = derivation;
  let next = records.get('nextChild', keyId) ?? 0;
  while (records.get('alias', aliasOf.child({ keyId, path: `m/${next}` })) !== undefined) next += 1;
  records.put('nextChild', keyId, next);
}

/** These records, and what is put over them until it is written. */
export function staged(records: Writable): Writable & { write(): void } {
  const puts = new Map<string, { kind: Kind; id: string; record: Records[Kind] | undefined }>();
  return {
    get<K extends Kind>(kind: K, id: string) {
      const put = puts.get(`${kind}/${id}`);
      return put === undefined ? records.get(kind, id) : (put.record as Records[K] | undefined); // put as one of this kind
    },
    put: (kind, id, record) => void puts.set(`${kind}/${id}`, { kind, id, record }),
    write() {
      for (const { kind, id, record } of puts.values()) records.put(kind, id, record);
    },
  };
}

/** Everything in memory: for reading a log once, and for tests. */
export function recordsInMemory(): RecordStore {
  const maps = new Map<Kind, Map<string, unknown>>(kinds.map((kind) => [kind, new Map()]));
  const of = <K extends Kind>(kind: K) => maps.get(kind) as Map<string, Records[K]>; // each holds what `put` has let in
  return {
    get: (kind, id) => of(kind).get(id),
    put(kind, id, record) {
      if (record === undefined) of(kind).delete(id);
      else of(kind).set(id, record);
    },
    all: (kind) => of(kind),
  };
}

function json<T>(extent: RecordKind<T>['extent']): RecordKind<T> {
  return { extent, encode: (record) => JSON.stringify(record), decode: (text) => JSON.parse(text) };
}
