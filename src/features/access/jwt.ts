/**
 * JSON Web Tokens (RFC 7519; compact JWS, RFC 7515) in the form in which the service issues its own, and in no other: the header is one
 * text, compared as such, so that nothing in a token says how it is to be checked.
 * @module
 */

import { createPublicKey, hash, type KeyObject, sign, timingSafeEqual, verify } from 'node:crypto';
import { toBase64Url, utf8 } from '../../base/bytes.ts';

/** How tokens are made good. */
export interface Proof {
  readonly header: Readonly<Record<string, string>>;
  /** base64url */
  signatureOf(input: string): string;
  isSignatureOf(input: string, signature: string): boolean;
}

export interface Jwt {
  write(claims: object): string;
  /** @returns the claims, or undefined when the text is not one that `write` has given, under the same key */
  read(text: string): unknown;
}

export function jwt({ header, signatureOf, isSignatureOf }: Proof): Jwt {
  const start = `${encoded(header)}.`;
  return {
    write(claims) {
      const input = start + encoded(claims);
      return `${input}.${signatureOf(input)}`;
    },
    read(text) {
      const end = text.lastIndexOf('.');
      if (end < start.length || !text.startsWith(start) || !isSignatureOf(text.slice(0, end), text.slice(end + 1))) return undefined;
      // What is signed is what `write` has made: JSON.
      return JSON.parse(Buffer.from(text.slice(start.length, end), 'base64url').toString());
    },
  };
}

/** EdDSA (RFC 8037): anybody with the public key can tell the token. The key's id is sixteen characters of the SHA-256 of its SPKI form. */
export function edDsa(key: KeyObject): Proof {
  const publicKey = createPublicKey(key);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return {
    header: { alg: 'EdDSA', typ: 'JWT', kid: hash('sha256', spki, 'base64url').slice(0, 16) },
    signatureOf: (input) => toBase64Url(sign(null, utf8(input), key)),
    isSignatureOf(input, signature) {
      const bytes = Buffer.from(signature, 'base64url');
      return bytes.toString('base64url') === signature && verify(null, utf8(input), publicKey, bytes);
    },
  };
}

/** HS256 (RFC 7518 §3.2): HMAC of SHA-256. @param secret 32 bytes */
export function hs256(secret: Uint8Array): Proof {
  const signatureOf = hmacSha256(secret);
  return {
    header: { alg: 'HS256', typ: 'JWT' },
    signatureOf,
    isSignatureOf(input, signature) {
      const [due, given] = [Buffer.from(signatureOf(input)), Buffer.from(signature)];
      return due.length === given.length && timingSafeEqual(due, given);
    },
  };
}

const blockBytes = 64;

/** RFC 2104, of two one-shot hashes: an object of `createHmac` for each text costs several times that. @param key at most a block long */
function hmacSha256(key: Uint8Array): (text: string) => string {
  const [inner, outer] = [padded(key, 0x36), padded(key, 0x5c)];
  return (text) => hash('sha256', Buffer.concat([outer, hash('sha256', Buffer.concat([inner, Buffer.from(text)]), 'buffer')]), 'base64url');
}

function padded(key: Uint8Array, pad: number): Uint8Array {
  return Uint8Array.from({ length: blockBytes }, (_, at) => (key[at] ?? 0) ^ pad);
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
