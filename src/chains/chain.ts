/**
 * A blockchain is two verbs: what must be signed (`parse`), and what the signatures make of it (`assemble`). Pure: no sockets, no
 * clock, so that what was judged, approved and signed are the same bytes, in the service and in each signer.
 * @module
 */

import type { KeyType } from '../base/keyTypes.ts';
import type { Payload, Signature } from '../crypto/schemes/scheme.ts';
import type { Body, RequestKind } from './requests.ts';

/** What a chain may know of the key. */
export interface ChainKey {
  readonly keyType: KeyType;
  /** As the wire shows it: 33 bytes compressed, 32 for ed25519. */
  readonly publicKey: Uint8Array;
}

/** Pure: the same body and key give the same payloads, today and after an approval. @throws {Refusal} for what is not signed */
export type Format<K extends RequestKind> = (body: Body<K>, key: ChainKey) => Unsigned;

export interface Chain {
  readonly keyTypes: readonly KeyType[];
  /** A kind that is absent is refused. */
  readonly formats: { readonly [K in RequestKind]?: Format<K> };
}

export interface Unsigned {
  /** What to sign; several for a PSBT. */
  readonly payloads: readonly Payload[];
  /** What policies judge. */
  readonly summary: Summary;
  assemble(signatures: readonly Signature[]): Signed;
}

/** What the request does, as far as it could be read. `complete: false` means there may be more: ignorance is not permission. */
export interface Summary {
  readonly complete: boolean;
  readonly transfers: readonly Transfer[];
}

export interface Transfer {
  readonly to: string;
  /** In the asset's smallest unit. */
  readonly amount: bigint;
  readonly asset: string;
}

/** What the answer shows. `encoded[i]` belongs to signature i. */
export interface Signed {
  readonly encoded: readonly Uint8Array[];
  readonly signedData?: Uint8Array;
}
