/** ECDSA signatures of secp256k1 in DER: a sequence of two integers (SEC 1, C.8). @module */

import { secp256k1 } from '@noble/curves/secp256k1.js';
import { concat } from '../../base/bytes.ts';
import type { Signature } from '../../crypto/schemes/scheme.ts';

/** 70 or 71 bytes with low s, rarely less. */
export function derOf({ r, s }: Signature): Uint8Array {
  return secp256k1.Signature.fromBytes(concat(r, s), 'compact').toBytes('der');
}
