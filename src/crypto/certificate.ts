/**
 * Self-signed X.509 certificates (RFC 5280) around Ed25519 keys (RFC 8410), for TLS between peers that know each other's keys. Nobody
 * reads more of them than the public key: its hash is the *pin*, which the peer has from a file. A certificate follows from its key and
 * name alone, so it is made anew at each start and kept nowhere.
 * @module
 */

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { concat, utf8 } from '../base/bytes.ts';

/**
 * base64 of SHA-256 over the public key (SubjectPublicKeyInfo), as in RFC 7469 §2.4.
 * @param key public, or private for that of its public half
 */
export function pinOf(key: KeyObject): string {
  return createHash('sha256').update(spkiOf(key)).digest('base64');
}

/** @param seed 32 bytes: the secret of RFC 8032 §5.1.5 */
export function ed25519KeyOf(seed: Uint8Array): KeyObject {
  const pkcs8 = sequence(integer(0), sequence(ed25519), octetString(octetString(seed)));
  try {
    return createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  } finally {
    pkcs8.fill(0);
  }
}

/**
 * @param privateKey Ed25519
 * @param name       the common name, at most 64 characters; nobody relies on it
 * @returns PEM
 */
export function selfSignedCertificate({ privateKey, name }: { privateKey: KeyObject; name: string }): string {
  const spki = spkiOf(privateKey);
  const serial = createHash('sha256').update(spki).digest().subarray(0, 15);
  const named = sequence(der(0x31, sequence(commonName, der(0x0c, utf8(name)))));
  const tbsCertificate = sequence(
    der(0xa0, integer(2)), // version 3
    der(0x02, Uint8Array.of(1), serial), // positive, and never with a zero in front
    sequence(ed25519),
    named,
    sequence(der(0x17, utf8('200101000000Z')), der(0x18, utf8('99991231235959Z'))), // no end: RFC 5280 §4.1.2.5
    named,
    spki,
    der(0xa3, sequence(sequence(keyUsage, der(0x01, Uint8Array.of(0xff)), octetString(digitalSignature)))),
  );
  const signature = sign(null, tbsCertificate, privateKey);
  return pem(sequence(tbsCertificate, sequence(ed25519), der(0x03, Uint8Array.of(0), signature)));
}

function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array((key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' }));
}

// DER (X.690 §8, §10), as much of it as a certificate needs.

/** Tag, length, content. */
function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const bytes = concat(...content);
  const length =
    bytes.length < 0x80 ? [bytes.length] : bytes.length < 0x100 ? [0x81, bytes.length] : [0x82, bytes.length >> 8, bytes.length & 0xff];
  return concat(Uint8Array.of(tag, ...length), bytes);
}

function sequence(...content: readonly Uint8Array[]): Uint8Array {
  return der(0x30, ...content);
}

function octetString(content: Uint8Array): Uint8Array {
  return der(0x04, content);
}

/** From 0 to 127. */
function integer(value: number): Uint8Array {
  return der(0x02, Uint8Array.of(value));
}

function objectIdentifier(...content: readonly number[]): Uint8Array {
  return der(0x06, Uint8Array.from(content));
}

const ed25519 = objectIdentifier(0x2b, 0x65, 0x70); // 1.3.101.112
const commonName = objectIdentifier(0x55, 0x04, 0x03); // 2.5.4.3
const keyUsage = objectIdentifier(0x55, 0x1d, 0x0f); // 2.5.29.15
const digitalSignature = der(0x03, Uint8Array.of(7, 0x80)); // the first of eight bits

function pem(bytes: Uint8Array): string {
  const lines = Buffer.from(bytes)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
