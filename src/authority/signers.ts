/** The signers of a cluster, and what they sign with their identity keys. @module */

import { createPublicKey, verify } from 'node:crypto';
import { fromBase64Url, toBase64Url } from '../base/bytes.ts';
import type { Head } from './head.ts';

export interface Member {
  /** Its participant number, for as long as it is a signer. */
  readonly index: number;
  /** base64 of its identity key: 32 bytes. */
  readonly signerId: string;
  /** base64 of 0x01 ‖ its transport key. */
  readonly encryptionKey: string;
}

/** Who the signers are; without numbers where only their word is asked for. */
export interface SignerSet {
  readonly clusterId: string;
  /** t: so many may be corrupt. */
  readonly threshold: number;
  readonly signers: readonly { readonly signerId: string; readonly index?: number }[];
}

/** Since when a set is in force: the entry that made it, or the root. */
export interface SetInForce extends SignerSet {
  readonly since: Head;
}

const signatureBytes = 64;
const keyBytes = 32;

/** Whether this signer of the cluster signed it. Anything malformed, and any signer of another cluster, is `false`. */
export function signedBy(
  { signers }: Pick<SignerSet, 'signers'>,
  { signerId, message, signature }: { signerId: string; message: Uint8Array; signature: string },
): boolean {
  const bytes = fromBase64Url(signature);
  if (bytes?.length !== signatureBytes || !signers.some((signer) => signer.signerId === signerId)) return false;
  const identityKey = Buffer.from(signerId, 'base64');
  if (identityKey.length !== keyBytes) return false;
  return verify(null, message, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(identityKey) }, format: 'jwk' }), bytes);
}
