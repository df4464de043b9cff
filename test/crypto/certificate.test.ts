import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromHex } from '../../src/base/bytes.ts';
import { ed25519KeyOf, pinOf, selfSignedCertificate } from '../../src/crypto/certificate.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');

test('a certificate is read by OpenSSL as what it says', () => {
  const certificate = new X509Certificate(selfSignedCertificate({ privateKey, name: 'signer 1' }));
  expect(certificate.subject).toBe('CN=signer 1');
  expect(certificate.verify(publicKey)).toBe(true);
  expect(certificate.checkPrivateKey(privateKey)).toBe(true);
  expect(certificate.ca).toBe(false);
  expect(certificate.validFromDate.toISOString()).toBe('2020-01-01T00:00:00.000Z');
  expect(certificate.validToDate.toISOString()).toBe('9999-12-31T23:59:59.000Z');
  expect(certificate.publicKey.equals(publicKey)).toBe(true);
});

test('names of any length and any key give a certificate that OpenSSL reads', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.stringMatching(/^[ -~é]{1,64}$/), (seed, name) => {
      const key = ed25519KeyOf(seed);
      const certificate = new X509Certificate(selfSignedCertificate({ privateKey: key, name }));
      expect(certificate.checkPrivateKey(key)).toBe(true);
      expect(certificate.verify(certificate.publicKey)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('the same key and name give the same certificate', () => {
  const make = () => selfSignedCertificate({ privateKey, name: 'x' });
  expect(make()).toBe(make());
});

test('an altered certificate does not verify', () => {
  const raw = new X509Certificate(selfSignedCertificate({ privateKey, name: 'signer 1' })).raw;
  const altered = Buffer.from(raw);
  altered.write('signer 2', altered.indexOf('signer 1'));
  expect(new X509Certificate(altered).verify(publicKey)).toBe(false);
});

// RFC 8032 §7.1, test 1.
test('a seed gives the key of RFC 8032', () => {
  const key = ed25519KeyOf(fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60') ?? new Uint8Array());
  const spki = Buffer.concat([
    Buffer.from('302a300506032b6570032100', 'hex'),
    Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex'),
  ]);
  expect(pinOf(key)).toBe(createHash('sha256').update(spki).digest('base64'));
});

test('a pin is the same of the private key, the public key and the certificate', () => {
  const certificate = new X509Certificate(selfSignedCertificate({ privateKey, name: 'x' }));
  expect(new Set([pinOf(privateKey), pinOf(publicKey), pinOf(certificate.publicKey)]).size).toBe(1);
});

test.skipIf(!hasOpenssl())('the openssl program reads and verifies it, and computes the same pin', () => {
  const certificate = selfSignedCertificate({ privateKey, name: 'signer 1' });
  const openssl = (args: readonly string[], input: string | Buffer) =>
    execFileSync('openssl', args, { input, stdio: ['pipe', 'pipe', 'pipe'] });
  expect(openssl(['x509', '-noout', '-text'], certificate).toString()).toMatch(/Key Usage: critical\s+Digital Signature/);
  const spki = openssl(['pkey', '-pubin', '-outform', 'der'], openssl(['x509', '-noout', '-pubkey'], certificate));
  expect(openssl(['dgst', '-sha256', '-binary'], spki).toString('base64')).toBe(pinOf(privateKey));
});

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
