/**
 * The public keys of key credentials, and signatures under them (contract §2.2, §3.2).
 * @module
 */

import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { Refusal } from '../base/errors.ts';
import { verifyEd25519 } from './ed25519.ts';
import { groupOf } from './groups/index.ts';

export interface CredentialKey {
  readonly kind: 'Ed25519' | 'ECDSA' | 'RSA';
  readonly publicKey: KeyObject;
  /** Ed25519: the key itself, 32 bytes, of the prime-order subgroup. */
  readonly ed25519?: Uint8Array;
}

const accepted = 'Accepted public keys: Ed25519, ECDSA on P-256 or secp256k1, RSA of 2048 to 8192 bits, in PEM.';
const pemCharsAtMost = 4096;
const pemPattern = /^-----BEGIN (RSA )?PUBLIC KEY-----([A-Za-z0-9+/=\n\r\t ]+)-----END \1PUBLIC KEY-----\s?$/;
const ecSignatureBytesAtMost = 72;

/** Digests by the name the caller gave its signer. Ed25519 has its own. */
const digests: Readonly<Record<string, 'sha256' | 'sha512'>> = { 'RSA-SHA256': 'sha256', SHA256: 'sha256', SHA512: 'sha512' };

/**
 * Reads a PEM public key: `PUBLIC KEY` (SPKI) or `RSA PUBLIC KEY` (PKCS #1). Newlines may also be the two characters `\n`, as
 * environment files carry them.
 * @throws {Refusal} BadRequest, naming what is accepted
 */
export function importCredentialKey(pem: string): CredentialKey {
  const publicKey = parsePem(pem);
  const kind = publicKey && kindOf(publicKey);
  if (publicKey === undefined || kind === undefined) throw new Refusal('BadRequest', accepted);
  return { kind, publicKey, ...(kind === 'Ed25519' && { ed25519: rawEd25519(publicKey) }) };
}

/**
 * Whether `signature` over `message` is good under the key.
 *
 * Ed25519: 64 bytes. ECDSA: DER, s in either half of the order, since WebCrypto and Node make both. RSA: PKCS #1 v1.5. Anything malformed is `false`.
 * @param algorithm the digest, `RSA-SHA256`, `SHA256` or `SHA512`; SHA-256 if undefined. Any other name is `false`
 */
export function verifyCredentialSignature(
  { kind, publicKey, ed25519 }: CredentialKey,
  message: Uint8Array,
  signature: Uint8Array,
  algorithm = 'SHA256',
): boolean {
  const digest = Object.hasOwn(digests, algorithm) ? digests[algorithm] : undefined;
  if (digest === undefined) return false;
  if (kind === 'Ed25519') return ed25519 !== undefined && verifyEd25519(ed25519, message, signature);
  if (kind === 'ECDSA' && signature.length > ecSignatureBytesAtMost) return false;
  return verify(digest, message, publicKey, signature);
}

function parsePem(pem: string): KeyObject | undefined {
  if (pem.length > pemCharsAtMost) return undefined;
  const [, rsa, body] = pemPattern.exec(pem.replaceAll('\\n', '\n').replaceAll('\r\n', '\n')) ?? [];
  if (body === undefined) return undefined;
  try {
    return createPublicKey({ key: Buffer.from(body, 'base64'), format: 'der', type: rsa ? 'pkcs1' : 'spki' });
  } catch {
    return undefined; // not DER of a public key
  }
}

function kindOf(key: KeyObject): CredentialKey['kind'] | undefined {
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return isOfPrimeOrder(key) ? 'Ed25519' : undefined;
    case 'ec':
      return isEcPoint(key) ? 'ECDSA' : undefined;
    case 'rsa':
      return isSoundRsa(key) ? 'RSA' : undefined;
    default:
      return undefined;
  }
}

/** The end of its SPKI form (RFC 8410 §4). */
function rawEd25519(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(-32));
}

/** Under a key of small order anybody can sign. */
function isOfPrimeOrder(key: KeyObject): boolean {
  try {
    groupOf('ed25519').decodePoint(rawEd25519(key));
    return true;
  } catch {
    return false;
  }
}

/** OpenSSL checks the curve equation, but lets the point at infinity pass, which has no coordinates to export. */
function isEcPoint(key: KeyObject): boolean {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve !== 'prime256v1' && curve !== 'secp256k1') return false;
  try {
    const { x, y } = key.export({ format: 'jwk' });
    return x !== undefined && y !== undefined;
  } catch {
    return false;
  }
}

/** A modulus or exponent beyond these would make one verification cost much; exponent 1 would make every signature good. */
function isSoundRsa(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  return modulusLength >= 2048 && modulusLength <= 8192 && publicExponent >= 3n && publicExponent < 2n ** 32n && publicExponent % 2n === 1n;
}
