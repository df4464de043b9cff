/** Recovery keys: secp256k1 in PEM, as OpenSSL makes and reads them, in the form in which `box.ts` encrypts to them. @module */

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { concat, fromBase64Url } from '../base/bytes.ts';

const coordinateBytes = 32;

/** PEM: PKCS#8 and SPKI. */
export function newRecoveryKey(): { readonly privateKey: string; readonly publicKey: string } {
  return generateKeyPairSync('ec', {
    namedCurve: 'secp256k1',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}

/** @returns 33 bytes, compressed @throws {Error} for anything but a secp256k1 key in PEM */
export function recoveryPublicKey(pem: string): Uint8Array {
  return compressed(createPublicKey(pem));
}

/** @returns 32 bytes, to be overwritten after use @throws {Error} for anything but a secp256k1 private key in PEM */
export function recoverySecret(pem: string): Uint8Array {
  const key = createPrivateKey(pem);
  requireCurve(key);
  return coordinate(key.export({ format: 'jwk' }).d);
}

function compressed(key: KeyObject): Uint8Array {
  requireCurve(key);
  const { x, y } = key.export({ format: 'jwk' });
  const isOdd = ((coordinate(y).at(-1) ?? 0) & 1) === 1;
  return concat(Uint8Array.of(isOdd ? 3 : 2), coordinate(x));
}

function coordinate(text: string | undefined): Uint8Array {
  const bytes = fromBase64Url(text ?? '');
  if (bytes?.length !== coordinateBytes) throw new Error('the key is not complete');
  return bytes;
}

function requireCurve({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): void {
  if (asymmetricKeyType !== 'ec' || asymmetricKeyDetails?.namedCurve !== 'secp256k1')
    throw new Error('a recovery key is an EC key on secp256k1');
}
