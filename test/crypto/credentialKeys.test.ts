import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64, utf8 } from '../../src/base/bytes.ts';
import { Refusal } from '../../src/base/errors.ts';
import { importCredentialKey, verifyCredentialSignature } from '../../src/crypto/credentialKeys.ts';
import { hex, wycheproof } from '../vectors/shared.ts';

const message = utf8('what the caller signs');
const pem = (key: KeyObject) => key.export({ format: 'pem', type: 'spki' }).toString();
const spkiPem = (der: Uint8Array) => `-----BEGIN PUBLIC KEY-----\n${toBase64(der)}\n-----END PUBLIC KEY-----\n`;

const ed25519 = generateKeyPairSync('ed25519');
const p256Pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const secp256k1Pair = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const accepted = [
  { name: 'Ed25519', kind: 'Ed25519', ...ed25519 },
  { name: 'P-256', kind: 'ECDSA', ...p256Pair },
  { name: 'secp256k1', kind: 'ECDSA', ...secp256k1Pair },
  { name: 'RSA', kind: 'RSA', ...rsa },
] as const;

describe('a credential key', () => {
  it.each(accepted)('of $name is taken, and verifies what its private key signs', ({ kind, name, publicKey, privateKey }) => {
    const key = importCredentialKey(pem(publicKey));
    const signature = sign(name === 'Ed25519' ? null : 'sha256', message, privateKey);
    expect(key.kind).toBe(kind);
    expect(verifyCredentialSignature(key, message, signature)).toBe(true);
    expect(verifyCredentialSignature(key, message, signature, 'SHA256')).toBe(true);
    expect(verifyCredentialSignature(key, message, signature, 'RSA-SHA256')).toBe(true);
    expect(verifyCredentialSignature(key, utf8('something else'), signature)).toBe(false);
    expect(
      verifyCredentialSignature(
        key,
        message,
        signature.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
      ),
    ).toBe(false);
  });

  it.each(accepted)('of $name takes the digest from the algorithm, and no other name', ({ name, publicKey, privateKey }) => {
    const key = importCredentialKey(pem(publicKey));
    const signature = sign(name === 'Ed25519' ? null : 'sha512', message, privateKey);
    expect(verifyCredentialSignature(key, message, signature, 'SHA512')).toBe(true);
    expect(verifyCredentialSignature(key, message, signature, 'SHA256')).toBe(name === 'Ed25519'); // which has a digest of its own
    for (const algorithm of ['', 'sha512', 'SHA1', 'MD5', 'RSA-SHA512', 'constructor', '__proto__']) {
      expect(verifyCredentialSignature(key, message, signature, algorithm)).toBe(false);
    }
  });

  it('takes ECDSA signatures in DER, not as r ‖ s', () => {
    for (const { publicKey, privateKey } of [p256Pair, secp256k1Pair]) {
      const signature = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      expect(verifyCredentialSignature(importCredentialKey(pem(publicKey)), message, signature)).toBe(false);
    }
  });

  it('takes ECDSA signatures with high s, which WebCrypto makes', () => {
    const key = importCredentialKey(pem(p256Pair.publicKey));
    const { r, s } = p256.Signature.fromBytes(sign('sha256', message, p256Pair.privateKey), 'der');
    const other = new p256.Signature(r, p256.Point.Fn.ORDER - s).toBytes('der');
    expect(verifyCredentialSignature(key, message, other)).toBe(true);
  });

  it('takes RSA as PKCS #1 v1.5, not PSS', () => {
    const key = importCredentialKey(pem(rsa.publicKey));
    const pss = sign('sha256', message, { key: rsa.privateKey, padding: 6, saltLength: 32 }); // RSA_PKCS1_PSS_PADDING
    expect(verifyCredentialSignature(key, message, pss)).toBe(false);
  });

  it('answers false, and throws nothing, whatever the signature', () => {
    const keys = accepted.map(({ publicKey }) => importCredentialKey(pem(publicKey)));
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.uint8Array({ maxLength: 600 }), (key, signature) => {
        expect(verifyCredentialSignature(key, message, signature)).toBe(false);
      }),
    );
  });
});

describe('the PEM of a credential key', () => {
  const text = pem(p256Pair.publicKey);
  const taken = {
    'as it is': text,
    'without final newline': text.trimEnd(),
    'with CRLF': text.replaceAll('\n', '\r\n'),
    'with newlines as the two characters \\n': text.replaceAll('\n', '\\n'),
    'on one line': text.replaceAll('\n', ''),
    'with a space at the end': `${text.trimEnd()} `,
    'as PKCS #1': rsa.publicKey.export({ format: 'pem', type: 'pkcs1' }).toString(),
    "as contract B.1's":
      '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAiojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=\n-----END PUBLIC KEY-----\n',
  };
  it.each(Object.entries(taken))('is taken %s', (_, pem) => {
    expect(importCredentialKey(pem).publicKey.type).toBe('public');
  });

  const refused = {
    'an empty text': '',
    'no PEM': 'hello',
    'a private key': p256Pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    'a certificate': text.replaceAll('PUBLIC KEY', 'CERTIFICATE'),
    'labels that differ': text.replace('END PUBLIC', 'END RSA PUBLIC'),
    'text before': `x${text}`,
    'text behind': `${text}x`,
    'two keys': text + text,
    'a body that is no DER': '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
    'a body with foreign characters': text.replace('M', '*'),
    'an RSA label on an SPKI body': text.replaceAll('PUBLIC KEY', 'RSA PUBLIC KEY'),
    megabytes: `${text.slice(0, 40)}${'A'.repeat(1_000_000)}${text.slice(40)}`,
    'P-384': pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey),
    Ed448: pem(generateKeyPairSync('ed448').publicKey),
    X25519: pem(generateKeyPairSync('x25519').publicKey),
    'RSA of 1024 bits': pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey),
    'RSA-PSS': pem(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey),
    'RSA with exponent 1': rsaWithExponentOne(),
    'Ed25519 of small order': spkiPem(hex(`302a300506032b6570032100${'00'.repeat(32)}`)),
    'Ed25519 at the identity': spkiPem(hex(`302a300506032b657003210001${'00'.repeat(31)}`)),
    'P-256 off the curve': spkiPem(hex(`3059301306072a8648ce3d020106082a8648ce3d03010703420004${'11'.repeat(64)}`)),
    'P-256 at infinity': spkiPem(hex('3019301306072a8648ce3d020106082a8648ce3d03010703020000')),
  };
  it.each(Object.entries(refused))('is refused: %s', (_, pem) => {
    expect(() => importCredentialKey(pem)).toThrow(Refusal);
    expect(() => importCredentialKey(pem)).toThrow(/Ed25519.*P-256.*secp256k1.*RSA of 2048/);
  });
});

describe.each(['ecdsa_secp256r1_sha256_test', 'ecdsa_secp256k1_sha256_test'])('Wycheproof %s', (name) => {
  const vectors = wycheproof<{ publicKeyPem: string }, { msg: string; sig: string }>(name);

  it.skipIf(vectors === undefined)('agrees: valid is verified, invalid is refused', () => {
    const disagreements = vectors?.filter((test) => {
      return verifyCredentialSignature(importCredentialKey(test.publicKeyPem), hex(test.msg), hex(test.sig)) !== (test.result === 'valid');
    });
    expect(disagreements).toEqual([]);
  });
});

describe('Wycheproof ed25519_test', () => {
  const vectors = wycheproof<{ publicKeyPem: string }, { msg: string; sig: string }>('ed25519_test');

  it.skipIf(vectors === undefined)('agrees: valid is verified, invalid is refused', () => {
    const disagreements = vectors?.filter((test) => {
      return verifyCredentialSignature(importCredentialKey(test.publicKeyPem), hex(test.msg), hex(test.sig)) !== (test.result === 'valid');
    });
    expect(disagreements).toEqual([]);
  });
});

/** Under which every message is its own signature. */
function rsaWithExponentOne(): string {
  const der = rsa.publicKey.export({ format: 'der', type: 'pkcs1' });
  const modulus = der.subarray(0, -5); // behind it the exponent 65537: 02 03 01 00 01
  const shorter = Buffer.concat([modulus, hex('020101')]);
  shorter.writeUInt16BE(shorter.length - 4, 2);
  return `-----BEGIN RSA PUBLIC KEY-----\n${toBase64(shorter)}\n-----END RSA PUBLIC KEY-----\n`;
}
