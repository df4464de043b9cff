/** Points as other systems write them: both coordinates in full. @module */

import { secp256k1 } from '@noble/curves/secp256k1.js';
import { Point as StarkPoint } from '@scure/starknet';
import type { Curve } from '../../base/keyTypes.ts';

/**
 * From SEC 1's uncompressed form (0x04 ‖ x ‖ y, 65 bytes), or the compressed one, to the compressed one, which `Group` reads.
 * @throws {Error} for what is no point of the curve
 */
export function compressPoint(curve: Exclude<Curve, 'ed25519'>, encoded: Uint8Array): Uint8Array {
  const Point = curve === 'stark' ? StarkPoint : secp256k1.Point;
  return Point.fromBytes(encoded).toBytes(true);
}
