/**
 * Published vectors of FROST, read from ../shared/vectors/frost where that folder is (ZcashFoundation/frost, `tests/helpers`). What every
 * clone must check is written into the tests as values.
 * @module
 */

import { existsSync, readFileSync } from 'node:fs';
import { fromHex } from '../../src/base/bytes.ts';

const folder = new URL('../../../shared/vectors/frost/', import.meta.url);

export const haveVectors = existsSync(folder);

export function bytes(hex: string): Uint8Array {
  const read = fromHex(hex);
  if (read === undefined) throw new Error('a vector is hex');
  return read;
}

export interface SigningVector {
  readonly config: { readonly MIN_PARTICIPANTS: string };
  readonly inputs: {
    readonly participant_list: readonly number[];
    readonly group_secret_key: string;
    readonly verifying_key_key: string;
    readonly message: string;
    readonly share_polynomial_coefficients: readonly string[];
    readonly participant_shares: readonly { readonly identifier: number; readonly participant_share: string }[];
  };
  readonly round_one_outputs: {
    readonly outputs: readonly {
      readonly identifier: number;
      readonly hiding_nonce_randomness: string;
      readonly binding_nonce_randomness: string;
      readonly hiding_nonce: string;
      readonly binding_nonce: string;
      readonly hiding_nonce_commitment: string;
      readonly binding_nonce_commitment: string;
      readonly binding_factor: string;
    }[];
  };
  readonly round_two_outputs: { readonly outputs: readonly { readonly identifier: number; readonly sig_share: string }[] };
  readonly final_output: { readonly sig: string };
}

export interface DkgParticipant {
  readonly identifier: number;
  readonly signing_key: string;
  readonly coefficient: string;
  readonly vss_commitments: readonly string[];
  readonly proof_of_knowledge: string;
  readonly signing_shares: Readonly<Record<string, string>>;
  readonly verifying_share: string;
  readonly signing_share: string;
}

export interface DkgVector {
  readonly inputs: { readonly verifying_key: string } & Readonly<Record<'1' | '2' | '3', DkgParticipant>>;
}

/** @param suite `ed25519`, `secp256k1` or `secp256k1-tr` */
export function readVector<T>(suite: string, file: string): T {
  return JSON.parse(readFileSync(new URL(`${suite}/${file}.json`, folder), 'utf8')) as T;
}
