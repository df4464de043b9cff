/**
 * Who may do what, as one head of the authority log says it: an organisation's accounts, their credentials, permissions, assignments and
 * keys. Every signer keeps its own, and so does the service; the same log makes the same registry.
 *
 * Rules read it and answer with changes; what was accepted is committed in one go, after every check has passed. A change costs the same
 * however many records there are. Of what grows without end (keys, wallets, heads) nothing need be in memory: it is looked up, never listed.
 * @module
 */

import { fromHex } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';
import type { KeyType } from '../base/keyTypes.ts';
import type { WalletNetwork } from '../chains/networks.ts';
import type { CredentialKey } from '../crypto/assertions.ts';
import { anchorFor, type Head, sameHead } from './head.ts';
import type { Managed } from './managed.ts';
import { aliasOf, type Kind, keep, keepHead, type RecordStore, type Records, recordKinds, staged } from './records.ts';
import type { Root, RootIds } from './root.ts';
import type { Member, SetInForce } from './signers.ts';

/** Who may call. So far only service accounts are made; end users have rules of their own, in force from the day that there are any. */
export type AccountKind = 'ServiceAccount' | 'CustomerEmployee' | 'EndUser';

export interface Account {
  readonly id: string;
  readonly kind: AccountKind;
  /** The one token it calls with. */
  readonly tokenId: string;
  readonly status: 'Active' | 'Deactivated' | 'Deleted';
  /** Unix seconds: from then on it may do nothing. */
  readonly validUntil: number;
}

/** What signs for an account. An account has one that is active, and those that recoveries have replaced. */
export interface Credential {
  readonly uuid: string;
  /** By which assertions name it. */
  readonly credId: string;
  readonly accountId: string;
  readonly kind: 'Key';
  /** PEM, as it was given. */
  readonly publicKey: string;
  /** The same, parsed: reading a PEM costs as much as a verification. */
  readonly key: CredentialKey;
  readonly isActive: boolean;
}

export interface Permission {
  readonly id: string;
  readonly name: string;
  /** Empty for full admin access, which grants every operation. */
  readonly operations: readonly string[];
  readonly managed: Managed | null;
  readonly isArchived: boolean;
}

export interface Assignment {
  readonly id: string;
  readonly permissionId: string;
  /** An account. */
  readonly identityId: string;
}

/** A key that was asked for. Whether its shares are made, the shares say. */
export interface Key {
  readonly id: string;
  readonly keyType: KeyType;
  readonly status: 'Active' | 'Archived';
  /** Others may be derived from it. */
  readonly isMaster?: true;
  /** Of a child: it has no shares of its own, its master's are moved (`crypto/hd.ts`). */
  readonly derivedFrom?: Derivation;
  /** It was created to be delegated later on. */
  readonly isDelegable?: true;
  /** The end user whose key it is, for good; absent while it is the organisation's. */
  readonly delegatedTo?: string;
  readonly exported?: Export;
  /** Its shares came with the request. */
  readonly imported?: Import;
}

export interface Import {
  /** How many of the shares determine the key, as its owner split it. */
  readonly minSigners: number;
  /** Hex: of the shares as they were handed in, each encrypted to its signer (`keyImport.ts`). */
  readonly sharesHash: string;
}

/** The key signs no more: it is whole elsewhere. */
export interface Export {
  /** base64 as in contract §10.1: its shares are encrypted to this key, and to no other ever. */
  readonly encryptionKey: string;
  /** Unix seconds: when it was asked for. */
  readonly at: number;
}

export interface Derivation {
  /** The master key. */
  readonly keyId: string;
  /** `m/i/j…`: `base/derivationPath.ts`. */
  readonly path: string;
}

/** A key bound to a network: what signs through it is signed for that network. Never changes; it lives and ends with its key. */
export interface Wallet {
  readonly id: string;
  readonly keyId: string;
  readonly network: WalletNetwork;
}

/** Signers that an entry has put in the place of those before. */
export interface SignersSince {
  /** The number of the entry, as a text. */
  readonly id: string;
  readonly since: number;
  /** Of the head that it makes: hex. */
  readonly hash: string;
  readonly threshold: number;
  readonly signers: readonly Member[];
}

/** One record as it is from now on. Only assignments end; everything else stays, for what it has done. */
export type Change =
  | { readonly kind: 'account'; readonly record: Account }
  | { readonly kind: 'credential'; readonly record: Credential }
  | { readonly kind: 'permission'; readonly record: Permission }
  | { readonly kind: 'assignment'; readonly record: Assignment }
  | { readonly kind: 'revocation'; readonly record: Assignment }
  | { readonly kind: 'key'; readonly record: Key }
  | { readonly kind: 'wallet'; readonly record: Wallet }
  | { readonly kind: 'cluster'; readonly record: SignersSince };

/** Records that are asked for by their ids. */
export interface Lookup<T> {
  get(id: string): T | undefined;
  has(id: string): boolean;
}

export interface Registry {
  readonly root: Root;
  readonly ids: RootIds;
  readonly organisationId: string;
  readonly head: Head;
  /** Who the signers are now. */
  readonly cluster: SetInForce;
  /**
   * Whose word counts for the head that ends with this entry: of those before it, and, where the entry is itself a change of signers, also of
   * those after it.
   */
  clustersAt(sequence: number): readonly SetInForce[];
  /** Unix seconds: the log shows that it is at least this late. What had expired before is in the log already, or never will be. */
  readonly time: number;
  readonly accounts: ReadonlyMap<string, Account>;
  /** By credId. */
  readonly credentials: ReadonlyMap<string, Credential>;
  readonly permissions: ReadonlyMap<string, Permission>;
  readonly assignments: ReadonlyMap<string, Assignment>;
  readonly keys: Lookup<Key>;
  readonly wallets: Lookup<Wallet>;
  /** A key has one wallet on a network at most. */
  walletOf(keyId: string, network: WalletNetwork): Wallet | undefined;
  assignmentsOf(identityId: string): Iterable<Assignment>;
  credentialsOf(accountId: string): Iterable<Credential>;
  /** The key that was derived so. */
  childAt(derivation: Derivation): Key | undefined;
  /** The smallest index i such that the master has no child at `m/i`. */
  nextChildOf(masterId: string): number;
  /** Whether an entry of the log has this nonce, if `time` has not passed its expiry: later nothing is accepted with it anyhow. */
  isSpent(nonce: string): boolean;
  /** Of the entry with this number; of 0 the hash before the first. */
  hashAt(sequence: number): Uint8Array | undefined;
  /** The number of the head that nonces name so. */
  sequenceOf(anchor: string): number | undefined;
}

/** What an entry does to the registry at the head it follows. */
export interface Accepted {
  readonly follows: Head;
  readonly head: Head;
  readonly time: number;
  /** Of the action, and when it expires (unix seconds); a recovery has none. */
  readonly spent?: { readonly nonce: string; readonly expiresAt: number };
  readonly changes: readonly Change[];
}

export interface MutableRegistry extends Registry {
  readonly records: RecordStore;
  /** @throws {Bug} for what was accepted at another head; and what the records throw, before anything has changed */
  commit(accepted: Accepted): void;
}

/** The registry of these records, at this head; what they are before the first entry, `root.ts` says. */
export function createRegistry(start: {
  root: Root;
  ids: RootIds;
  genesis: Head;
  head: Head;
  time: number;
  records: RecordStore;
}): MutableRegistry {
  const { root, ids, genesis, records } = start;
  let { head, time } = start;
  const accounts = held(records, 'account');
  const credentials = held(records, 'credential');
  const permissions = held(records, 'permission');
  const assignments = held(records, 'assignment');
  const nonces = held(records, 'nonce');
  const clusters = held(records, 'cluster');
  const byIdentity = grouped(assignments, ({ identityId }) => identityId);
  const byAccount = grouped(credentials, ({ accountId }) => accountId);
  const byExpiry = grouped(nonces, (expiresAt) => expiresAt);

  function make(change: Change): void {
    switch (change.kind) {
      case 'account':
        accounts.set(change.record.id, change.record);
        break;
      case 'credential':
        credentials.set(change.record.credId, change.record);
        within(byAccount, change.record.accountId).set(change.record.credId, change.record);
        break;
      case 'permission':
        permissions.set(change.record.id, change.record);
        break;
      case 'assignment':
        assignments.set(change.record.id, change.record);
        within(byIdentity, change.record.identityId).set(change.record.id, change.record);
        break;
      case 'revocation':
        assignments.delete(change.record.id);
        byIdentity.get(change.record.identityId)?.delete(change.record.id);
        break;
      case 'cluster':
        clusters.set(change.record.id, change.record);
        break;
      case 'key':
      case 'wallet':
        break; // looked up
    }
  }

  /** In force after the entry with this number. */
  function clusterAfter(sequence: number): SetInForce {
    const { clusterId } = root;
    const latest = [...clusters.values()].filter(({ since }) => since <= sequence).sort((a, b) => b.since - a.since)[0];
    if (latest === undefined) return { clusterId, threshold: root.threshold, signers: root.signers, since: genesis };
    const { since, hash, threshold, signers } = latest;
    return { clusterId, threshold, signers, since: { sequence: since, hash: fromHex(hash) ?? new Uint8Array() } };
  }

  /** By times of expiry, which are few: an action lives for five minutes. */
  function forgetExpired(): void {
    for (const [expiresAt, expiring] of byExpiry) {
      if (expiresAt > time) continue;
      byExpiry.delete(expiresAt);
      for (const nonce of expiring.keys()) {
        nonces.delete(nonce);
        records.put('nonce', nonce, undefined);
      }
    }
  }

  const keys = lookup(records, 'key');
  const wallets = lookup(records, 'wallet');
  return {
    root,
    ids,
    organisationId: ids.organisationId,
    records,
    accounts,
    credentials,
    permissions,
    assignments,
    keys,
    wallets,
    walletOf(keyId, network) {
      const id = records.get('alias', aliasOf.walletOf(keyId, network));
      return id === undefined ? undefined : wallets.get(id);
    },
    get head() {
      return head;
    },
    get time() {
      return time;
    },
    get cluster() {
      return clusterAfter(head.sequence);
    },
    clustersAt(sequence) {
      const [before, after] = [clusterAfter(sequence - 1), clusterAfter(sequence)];
      return before.since.sequence === after.since.sequence ? [before] : [before, after];
    },
    assignmentsOf: (identityId) => byIdentity.get(identityId)?.values() ?? [],
    credentialsOf: (accountId) => byAccount.get(accountId)?.values() ?? [],
    childAt(derivation) {
      const id = records.get('alias', aliasOf.child(derivation));
      return id === undefined ? undefined : keys.get(id);
    },
    nextChildOf: (masterId) => records.get('nextChild', masterId) ?? 0,
    isSpent: (nonce) => nonces.has(nonce),
    hashAt(sequence) {
      if (sequence === head.sequence) return head.hash;
      const hash = records.get('head', String(sequence));
      return hash === undefined ? undefined : fromHex(hash);
    },
    sequenceOf: (anchor) => (anchor === anchorFor(head) ? head.sequence : records.get('anchor', anchor)),
    commit(accepted) {
      assert(sameHead(accepted.follows, head), 'what was accepted at this head is committed at this head');
      const { changes, spent } = accepted;
      // Whatever must be looked up for it is, before anything changes.
      const stage = staged(records);
      for (const change of changes) keep(stage, change);
      keepHead(stage, accepted.head);
      stage.write();
      changes.forEach(make);
      head = accepted.head;
      time = accepted.time;
      if (spent !== undefined) {
        nonces.set(spent.nonce, spent.expiresAt);
        within(byExpiry, spent.expiresAt).set(spent.nonce, spent.expiresAt);
        records.put('nonce', spent.nonce, spent.expiresAt);
      }
      forgetExpired();
    },
  };
}

function held<K extends Kind>(records: RecordStore, kind: K): Map<string, Records[K]> {
  assert(recordKinds[kind].extent === 'held', 'what is held is not looked up');
  return new Map(records.all(kind));
}

function lookup<K extends Kind>(records: RecordStore, kind: K): Lookup<Records[K]> {
  return { get: (id) => records.get(kind, id), has: (id) => records.get(kind, id) !== undefined };
}

function grouped<V, G>(records: ReadonlyMap<string, V>, groupOf: (record: V) => G): Map<G, Map<string, V>> {
  const groups = new Map<G, Map<string, V>>();
  for (const [id, record] of records) within(groups, groupOf(record)).set(id, record);
  return groups;
}

function within<G, V>(groups: Map<G, Map<string, V>>, group: G): Map<string, V> {
  const found = groups.get(group) ?? new Map<string, V>();
  groups.set(group, found);
  return found;
}
