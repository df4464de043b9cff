/**
 * Who may do what, as one head of the authority log says it: an organisation's accounts, their credentials, permissions, assignments and
 * keys. Every signer keeps its own, and so does the service; the same log makes the same registry.
 *
 * Rules read it and answer with changes; what was accepted is committed in one go, after every check has passed. A change costs the same
 * however many records there are.
 * @module
 */

import { assert } from '../base/errors.ts';
import type { KeyType } from '../base/keyTypes.ts';
import type { WalletNetwork } from '../chains/networks.ts';
import type { CredentialKey } from '../crypto/assertions.ts';
import { anchorFor, type Head, sameHead } from './head.ts';
import type { Managed } from './managed.ts';
import type { Root, RootIds } from './root.ts';

/** A service account: so far the only callers there are. */
export interface Account {
  readonly id: string;
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

/** One record as it is from now on. Only assignments end; everything else stays, for what it has done. */
export type Change =
  | { readonly kind: 'account'; readonly record: Account }
  | { readonly kind: 'credential'; readonly record: Credential }
  | { readonly kind: 'permission'; readonly record: Permission }
  | { readonly kind: 'assignment'; readonly record: Assignment }
  | { readonly kind: 'revocation'; readonly record: Assignment }
  | { readonly kind: 'key'; readonly record: Key }
  | { readonly kind: 'wallet'; readonly record: Wallet };

export interface Registry {
  readonly root: Root;
  readonly ids: RootIds;
  readonly organisationId: string;
  readonly head: Head;
  /** Unix seconds: the log shows that it is at least this late. What had expired before is in the log already, or never will be. */
  readonly time: number;
  readonly accounts: ReadonlyMap<string, Account>;
  /** By credId. */
  readonly credentials: ReadonlyMap<string, Credential>;
  readonly permissions: ReadonlyMap<string, Permission>;
  readonly assignments: ReadonlyMap<string, Assignment>;
  readonly keys: ReadonlyMap<string, Key>;
  readonly wallets: ReadonlyMap<string, Wallet>;
  /** A key has one wallet on a network at most. */
  walletOf(keyId: string, network: WalletNetwork): Wallet | undefined;
  assignmentsOf(identityId: string): Iterable<Assignment>;
  credentialsOf(accountId: string): Iterable<Credential>;
  /** The key that was derived so. */
  childAt(derivation: Derivation): Key | undefined;
  /** The smallest index i such that the master has no child at `m/i`. */
  nextChildOf(masterId: string): number;
  /** Whether an entry of the log has this nonce. */
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
  /** Of the action; a recovery has none. */
  readonly nonce?: string;
  readonly changes: readonly Change[];
}

export interface MutableRegistry extends Registry {
  /** @throws {Bug} for what was accepted at another head */
  commit(accepted: Accepted): void;
}

export function createRegistry(start: { root: Root; ids: RootIds; head: Head; time: number; changes: readonly Change[] }): MutableRegistry {
  const { root, ids } = start;
  let { head, time } = start;
  const accounts = new Map<string, Account>();
  const credentials = new Map<string, Credential>();
  const permissions = new Map<string, Permission>();
  const assignments = new Map<string, Assignment>();
  const keys = new Map<string, Key>();
  const wallets = new Map<string, Wallet>();
  const walletsByKey = new Map<string, Wallet>();
  const byIdentity = new Map<string, Map<string, Assignment>>();
  const byAccount = new Map<string, Map<string, Credential>>();
  /** By master, then by path. */
  const children = new Map<string, Map<string, string>>();
  /** By master: below it every index is taken. */
  const nextChildren = new Map<string, number>();
  const nonces = new Set<string>();
  const hashes = [head.hash];
  const anchors = new Map([[anchorFor(head), head.sequence]]);

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
      case 'key':
        keys.set(change.record.id, change.record);
        if (change.record.derivedFrom !== undefined) addChild(change.record.id, change.record.derivedFrom);
        break;
      case 'wallet':
        wallets.set(change.record.id, change.record);
        walletsByKey.set(`${change.record.keyId}/${change.record.network}`, change.record);
        break;
    }
  }

  function addChild(id: string, { keyId, path }: Derivation): void {
    const paths = within(children, keyId);
    paths.set(path, id);
    let next = nextChildren.get(keyId) ?? 0;
    while (paths.has(`m/${next}`)) next += 1;
    nextChildren.set(keyId, next);
  }

  start.changes.forEach(make);
  return {
    root,
    ids,
    organisationId: ids.organisationId,
    accounts,
    credentials,
    permissions,
    assignments,
    keys,
    wallets,
    walletOf: (keyId, network) => walletsByKey.get(`${keyId}/${network}`),
    get head() {
      return head;
    },
    get time() {
      return time;
    },
    assignmentsOf: (identityId) => byIdentity.get(identityId)?.values() ?? [],
    credentialsOf: (accountId) => byAccount.get(accountId)?.values() ?? [],
    childAt: ({ keyId, path }) => keys.get(children.get(keyId)?.get(path) ?? ''),
    nextChildOf: (masterId) => nextChildren.get(masterId) ?? 0,
    isSpent: (nonce) => nonces.has(nonce),
    hashAt: (sequence) => hashes[sequence],
    sequenceOf: (anchor) => anchors.get(anchor),
    commit(accepted) {
      assert(sameHead(accepted.follows, head), 'what was accepted at this head is committed at this head');
      accepted.changes.forEach(make);
      if (accepted.nonce !== undefined) nonces.add(accepted.nonce);
      head = accepted.head;
      time = accepted.time;
      hashes.push(head.hash);
      anchors.set(anchorFor(head), head.sequence);
    },
  };
}

function within<V>(index: Map<string, Map<string, V>>, name: string): Map<string, V> {
  const found = index.get(name) ?? new Map<string, V>();
  index.set(name, found);
  return found;
}
