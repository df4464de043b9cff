/**
 * A key share as it leaves (contract §10.2): compact JSON, encrypted to the one who asked for it. The text is put together from bytes, so
 * that it can be overwritten.
 * @module
 */

import { concat, fromBigInt, toHex, utf8 } from '../base/bytes.ts';
import { keyTypes } from '../base/keyTypes.ts';
import { encryptTo } from '../crypto/box.ts';
import type { KeyShare } from '../mpc/keyShare.ts';

type Leaving = Pick<KeyShare, 'keyType' | 'index' | 'secret'>;

/**
 * @param encryptionKey 33 bytes, compressed secp256k1
 * @returns the box of contract §10.1
 */
export function encryptShareTo(encryptionKey: Uint8Array, share: Leaving): Uint8Array {
  const plain = encodeExportedShare(share);
  try {
    return encryptTo(encryptionKey, plain, new Uint8Array());
  } finally {
    plain.fill(0);
  }
}

/** Scalars are big-endian on every curve. The result holds the secret: overwrite it after use. */
export function encodeExportedShare({ keyType, index, secret }: Leaving): Uint8Array {
  const { curve } = keyTypes[keyType];
  const bigEndian = curve === 'ed25519' ? secret.toReversed() : secret.slice();
  const digits = hexDigitsOf(bigEndian);
  try {
    const number = toHex(fromBigInt(BigInt(index), 32));
    const before = `{"version":1,"index":{"curve":"${curve}","scalar":"${number}"},"secret_share":{"curve":"${curve}","scalar":"`;
    return concat(utf8(before), digits, utf8('"}}'));
  } finally {
    bigEndian.fill(0);
    digits.fill(0);
  }
}

/** Lower-case hex as bytes of ASCII. */
function hexDigitsOf(bytes: Uint8Array): Uint8Array {
  const digits = utf8('0123456789abcdef');
  return Uint8Array.from({ length: 2 * bytes.length }, (_, i) => {
    const byte = bytes[i >> 1] ?? 0;
    return digits[i % 2 === 0 ? byte >> 4 : byte & 0x0f] ?? 0;
  });
}
