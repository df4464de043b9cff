/** The identity keys of a cluster's signers: what they sign about the log. @module */

import { createPublicKey, verify } from 'node:crypto';
import { fromBase64Url, toBase64Url } from '../base/bytes.ts';
import type { Root } from './root.ts';

const signatureBytes = 64;
const keyBytes = 32;

/** Whether this signer of the cluster signed it. Anything malformed, and any signer of another cluster, is `false`. */
export function signedBy(
  { signers }: Pick<Root, 'signers'>,
  { signerId, message, signature }: { signerId: string; message: Uint8Array; signature: string },
): boolean {
  const bytes = fromBase64Url(signature);
  if (bytes?.length !== signatureBytes || !signers.some((signer) => signer.signerId === signerId)) return false;
  const identityKey = Buffer.from(signerId, 'base64');
  if (identityKey.length !== keyBytes) return false;
  return verify(null, message, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(identityKey) }, format: 'jwk' }), bytes);
}
