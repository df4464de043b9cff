/**
 * The service's way to the signers. It opens signing sessions, relays rounds, combines what comes back and names culprits; it holds no
 * share and is not trusted with one.
 * @module
 */

import type { ImportedShares } from '../authority/bodies.ts';
import type { Entry } from '../authority/entry.ts';
import type { SignedHead } from '../authority/signedHead.ts';
import type { KeyType } from '../base/keyTypes.ts';
import type { Authorisation } from '../crypto/authorisation.ts';
import type { Payload, Signature } from '../crypto/schemes/scheme.ts';

/** All that is needed to have a key used. Of a sharing that has been left behind since, it still is: the signers' own is looked for. */
export interface KeyReference extends KeySharing {
  readonly id: string;
  readonly keyType: KeyType;
  readonly publicKey: Uint8Array;
}

/** How a key is shared, until it is dealt anew. */
export interface KeySharing {
  /** Counts how often it was dealt anew. */
  readonly epoch: number;
  /** So many shares tell nothing; undefined: as of the cluster when it was made. */
  readonly threshold?: number | undefined;
  /** By participant number: share · base. */
  readonly verificationShares: ReadonlyMap<number, Uint8Array>;
}

export interface NewKey extends KeySharing {
  readonly publicKey: Uint8Array;
  readonly chainCode: Uint8Array;
}

/** One payload of a request, and what signers need to derive it themselves. */
export interface SignInput {
  readonly key: KeyReference;
  readonly payload: Payload;
  readonly payloadIndex: number;
  /** What the service filled in for the caller (`networks/`). */
  readonly filled?: Readonly<Record<string, string>> | undefined;
  readonly authorisation: Authorisation;
}

export interface SharingFollower {
  /** The key is shared in another way than was said. */
  moved(keyId: string, sharing: KeySharing): void;
  /** A signer that should hold a share of it holds an older one, or none. */
  behind(keyId: string): void;
}

export interface ClusterView {
  readonly clusterId: string;
  /** How many signers may be corrupt: t. */
  readonly threshold: number;
  readonly signers: readonly { readonly index: number; readonly signerId: string; readonly encryptionKey: string }[];
}

/** The service's copy of the authority log: signers that were away are brought up from it. */
export interface EntrySource {
  /** Up to `count` consecutive ones, `from` the first; fewer at the end of the log, and none after it. */
  entries(from: number, count: number): Promise<readonly Entry[]>;
  /** Who vouched for the head that ends with entry `sequence`; none where that is not known. */
  vouchers(sequence: number): Promise<readonly SignedHead[]>;
  /** Whether signers vouch for the last of these entries whose word counts there. */
  areVouchedFor(entries: readonly Entry[], vouchers: readonly SignedHead[]): boolean;
}

export interface Coordinator {
  readonly cluster: ClusterView;
  /** From where signers that are behind are caught up, when a key is made or used. Said once, at composition. */
  setHistory(history: EntrySource): void;
  /**
   * Puts one more entry to all signers; those that are behind are caught up first.
   * @returns what t + 1 signers or more vouch for: the head that ends with this entry
   * @throws {Refusal} the signers' own, when t + 1 of them refuse it for the same reason; else Unavailable
   */
  append(entry: Entry, history: EntrySource): Promise<readonly SignedHead[]>;
  /** Where the signers' logs stand now: of those that answer, each signed and verified. */
  heads(): Promise<readonly SignedHead[]>;
  /**
   * The signers' own log from entry `from` on, as far as t + 1 signers vouch for it, or a first part of it.
   * @returns undefined when there is nothing; `vouchers` are for the last of the entries
   */
  entriesFrom(from: number): Promise<{ readonly entries: readonly Entry[]; readonly vouchers: readonly SignedHead[] } | undefined>;
  /** Sets up what the signers must share before their first ECDSA signature; cheap when it stands. @throws {Refusal} Unavailable */
  prepare(): Promise<void>;
  /** Sets it up anew, under use. @throws {Refusal} Unavailable unless all signers answer */
  renewSeeds(): Promise<void>;
  /**
   * Distributed key generation by all signers, of a key whose creation stands in the authority log; durable at each of them when it
   * resolves. @throws {Refusal} Unavailable
   */
  createKey(input: { keyId: string; keyType: KeyType }): Promise<NewKey>;
  /**
   * Deals a key anew out of the shares that its owner has encrypted to the signers, all of them; its import stands in the authority log.
   * @throws {Refusal} BadRequest, naming the signer that cannot do anything with its share; Unavailable
   */
  importKey(input: { keyId: string; shares: ImportedShares }): Promise<NewKey>;
  /**
   * What the signers hold of a key: as t + 1 of them say it alike.
   * @returns undefined when fewer have it @throws {Refusal} Unavailable when too few answer to tell
   */
  findKey(keyId: string): Promise<(NewKey & { readonly keyType: KeyType }) | undefined>;
  /**
   * Deals a key anew, to fresh shares of all signers of the cluster, which must all be up. It is used by these from now on; the shares before
   * end with `settle`. What an earlier attempt was interrupted in is brought to its end instead, where it can be.
   * @throws {Refusal} Unavailable
   */
  redeal(key: { id: string; keyType: KeyType }): Promise<NewKey>;
  /** Ends the shares before the newest of these keys, where all who must know of the newest do. @returns of which keys they have ended */
  settle(keyIds: readonly string[]): Promise<readonly string[]>;
  /** Keys with shares that have not ended, as the signers that answer say. */
  unsettled(): Promise<readonly string[]>;
  /** Who is told what signers say of a key when it is used. Said once, at composition. */
  follow(follower: SharingFollower): void;
  /**
   * A signature over the payload, verified under the public key. Signers that fail are left out and others tried with fresh nonces
   * while enough are there. Each signer derives the request's payloads itself, and takes part once in each.
   * @throws {Refusal} the signers' own, when t + 1 of them refuse; Unavailable when too few answer in time
   */
  sign(input: SignInput): Promise<Signature>;
  /** GLOW-style evaluation of a DH key: 32 bytes. @throws {Refusal} as `sign` */
  derive(input: { key: KeyReference; domain: Uint8Array; seed: Uint8Array; authorisation: Authorisation }): Promise<Uint8Array>;
  /** How much is made ahead: ECDSA presignatures of each set of signers, FROST nonces of each signer. */
  pools(): readonly { readonly pool: KeyType; readonly depth: number }[];
  /**
   * The shares of a key whose export stands in the authority log, each encrypted by its signer to whom the entry names: t + 1 or more, by
   * participant number. @throws {Refusal} the signers' own, when t + 1 of them refuse; Unavailable when too few answer
   */
  exportShares(key: KeyReference): Promise<ReadonlyMap<number, Uint8Array>>;
  /** Which signers answer now. */
  health(): Promise<readonly { readonly index: number; readonly up: boolean }[]>;
  close(): Promise<void>;
}
