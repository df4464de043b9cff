/**
 * The service's way to the signers. It opens signing sessions, relays rounds, combines what comes back and names culprits; it holds no
 * share and is not trusted with one.
 * @module
 */

import type { KeyType } from '../base/keyTypes.ts';
import type { Authorisation } from '../crypto/authorisation.ts';
import type { Payload, Signature } from '../crypto/schemes/scheme.ts';

/** All that is needed to have a key used. */
export interface KeyReference {
  readonly id: string;
  readonly keyType: KeyType;
  readonly publicKey: Uint8Array;
  /** By participant number: share · base. */
  readonly verificationShares: ReadonlyMap<number, Uint8Array>;
}

export interface NewKey {
  readonly publicKey: Uint8Array;
  readonly verificationShares: ReadonlyMap<number, Uint8Array>;
  readonly chainCode: Uint8Array;
}

export interface ClusterView {
  readonly clusterId: string;
  /** How many signers may be corrupt: t. */
  readonly threshold: number;
  readonly signers: readonly { readonly index: number; readonly signerId: string; readonly encryptionKey: string }[];
}

export interface Coordinator {
  readonly cluster: ClusterView;
  /** Sets up what the signers must share before their first ECDSA signature; cheap when it stands. @throws {Refusal} Unavailable */
  prepare(): Promise<void>;
  /** Distributed key generation by all signers; durable at each of them when it resolves. @throws {Refusal} Unavailable */
  createKey(input: { keyId: string; keyType: KeyType; authorisation: Authorisation }): Promise<NewKey>;
  /**
   * A signature over the payload, verified under the public key. Signers that fail are left out and others tried with fresh nonces
   * while enough are there.
   * @throws {Refusal} Unavailable when too few signers answer in time
   */
  sign(input: { key: KeyReference; payload: Payload; authorisation: Authorisation }): Promise<Signature>;
  /** GLOW-style evaluation of a DH key: 32 bytes. @throws {Refusal} Unavailable */
  derive(input: { key: KeyReference; domain: Uint8Array; seed: Uint8Array; authorisation: Authorisation }): Promise<Uint8Array>;
  /** Which signers answer now. */
  health(): Promise<readonly { readonly index: number; readonly up: boolean }[]>;
  close(): Promise<void>;
}
