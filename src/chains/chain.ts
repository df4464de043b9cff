/**
 * A blockchain is two verbs: what must be signed (a format parses it), and what the signatures make of it (`assemble`). Pure: no sockets,
 * no clock, so that what was judged, approved and signed are the same bytes, in the service and in each signer.
 * @module
 */

import type { KeyType } from '../base/keyTypes.ts';
import type { Payload, Signature } from '../crypto/schemes/scheme.ts';
import type { BlockchainKind, Network, NetworkRow } from './networks.ts';
import type { Body, RequestKind } from './requests.ts';

/** What a chain may know of the key. */
export interface ChainKey {
  readonly keyType: KeyType;
  /** As the wire shows it: 33 bytes compressed, 32 for ed25519. */
  readonly publicKey: Uint8Array;
}

/** Where a request is signed for. */
export interface Target<K extends BlockchainKind = BlockchainKind> {
  /** Absent where the request names only the family: a format that needs one asks `requireNetwork` (target.ts). */
  readonly network?: { readonly name: Network; readonly facts: NetworkRow<K> };
  /**
   * What the service filled in for fields that the caller left out of a JSON transaction, as decimal numbers by the name of the field. The
   * caller has not signed them: a format takes one only where the body has none, and within bounds of its own.
   */
  readonly filled: Readonly<Record<string, string>>;
}

/** Pure: the same body, key and target give the same payloads, today and after an approval. @throws {Refusal} for what is not signed */
export type Format<R extends RequestKind, K extends BlockchainKind = BlockchainKind> = (
  body: Body<R>,
  key: ChainKey,
  target: Target<K>,
) => Unsigned;

export interface Chain<K extends BlockchainKind = BlockchainKind> {
  readonly keyTypes: readonly KeyType[];
  /** A kind that is absent is refused. */
  readonly formats: { readonly [R in RequestKind]?: Format<R, K> };
  /** The address that a wallet of this key has. @throws {Refusal} BadRequest for a key of a type that has none */
  readonly addressOf: (key: ChainKey, network: NetworkRow<K>) => string;
  /** The fields that a request leaves for the service to fill in; absent where no request may. */
  readonly missingFields?: (body: Body, target: Target<K>) => readonly string[];
}

export interface Unsigned {
  /** What to sign; several for a PSBT. */
  readonly payloads: readonly Payload[];
  /** What policies judge. */
  readonly summary: Summary;
  /** Answered with the request: what was filled in, for example. */
  readonly details?: Readonly<Record<string, unknown>>;
  assemble(signatures: readonly Signature[]): Signed;
}

/** What the request does, as far as it could be read. `complete: false` means there may be more: ignorance is not permission. */
export interface Summary {
  readonly complete: boolean;
  readonly effects: readonly Effect[];
  /** At most, in the smallest unit of the network's own asset. */
  readonly fee?: bigint;
}

/**
 * One thing that signing it brings about. Addresses are as the chain writes them (EVM: lower case). `asset` is `native`, or the contract or
 * issuer that keeps the asset, in the chain's own notation (EVM: the contract; an NFT: contract/id; XRPL, Stellar: code.issuer).
 */
export type Effect =
  /** Something leaves the signer's hands. In the asset's smallest unit. */
  | { readonly kind: 'transfer'; readonly to: string; readonly amount: bigint; readonly asset: string }
  /** Somebody else may take so much from now on. */
  | { readonly kind: 'allowance'; readonly spender: string; readonly amount: bigint; readonly asset: string }
  /** Code runs. `method`: its name and parameter types where they are known, else its selector. */
  | { readonly kind: 'call'; readonly contract: string; readonly method?: string }
  /** Control of the account goes to somebody or some code. */
  | { readonly kind: 'control'; readonly to: string };

/** What the answer shows. `encoded[i]` belongs to signature i. */
export interface Signed {
  readonly encoded: readonly Uint8Array[];
  readonly signedData?: Uint8Array;
  /** As explorers of the chain write it; kept for the confirmation, shown when the transaction is seen on chain. */
  readonly txHash?: string;
}
